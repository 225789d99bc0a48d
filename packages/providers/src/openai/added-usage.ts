import type { Tally } from '../answer/tally.ts';
import type { EventData } from '../sse/event-data.ts';

/**
 * What stands in a stream only because Tollgate asked for its usage: the closing chunk that carries nothing else, and the
 * `"usage": null` of every other chunk. 'drop' = the whole event; a range = these bytes of it; null = nothing.
 */
export type Added = 'drop' | { readonly start: number; readonly end: number } | null;

const COMMA = 0x2c;

/** A usage beside choices is left: the host would have sent it unasked. */
export const addedUsage = (data: EventData, tally: Tally): Added => {
  const { member } = tally;
  if (member === null) return null;
  if (!member.isNull) return tally.isBare ? 'drop' : null;
  return memberRange(data, member.keyStart, member.end);
};

/** A member goes with the comma before it, or, where it comes first, with the one after it; space inside goes with it. */
const memberRange = ({ bytes, start, end }: EventData, keyStart: number, valueEnd: number): Added => {
  let before = keyStart - 1;
  while (before > start && isSpace(bytes[before])) before -= 1;
  if (bytes[before] === COMMA) return { start: before, end: valueEnd };
  let after = valueEnd;
  while (after < end && isSpace(bytes[after])) after += 1;
  if (bytes[after] !== COMMA) return { start: keyStart, end: valueEnd };
  after += 1;
  while (after < end && isSpace(bytes[after])) after += 1;
  return { start: keyStart, end: after };
};

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;
