import { type AnswerReader, ANSWER_READERS, readPart } from '../answer/read-answer.ts';
import { type Tally, answerOf, makeAnswerScanner, makeTally } from '../answer/tally.ts';
import type { FormatId, StreamMeter } from '../format.ts';
import { addedUsage } from '../openai/added-usage.ts';
import { type EventData, eventData } from '../sse/event-data.ts';
import { SseSplitter, type UnitKind } from '../sse/sse-splitter.ts';
import { JsonElements } from './json-elements.ts';

export interface StreamMeterOptions {
  /** Take out again what `stream_options.include_usage` adds: for streams where Tollgate had put it in. */
  readonly strip: boolean;
  /** Bytes of one event beyond which it passes unread. */
  readonly eventLimit?: number;
}

const MIB = 1 << 20;
/** Where one event may carry a whole picture, or repeats the whole answer, it is read up to 16 MiB. */
const EVENT_LIMIT: Readonly<Record<FormatId, number>> = {
  'openai-chat': MIB,
  'openai-completions': MIB,
  'openai-embeddings': MIB,
  'openai-responses': 16 * MIB,
  'anthropic-messages': MIB,
  'gemini-generate': 16 * MIB,
};

const OVERLONG = 'an event was too long to be read';

/** Reads a stream as its bytes pass. Without `strip` every chunk goes on at once as it came, unfinished events included. */
export const makeStreamMeter = (format: FormatId, options: StreamMeterOptions): StreamMeter => {
  const reader = ANSWER_READERS[format];
  const tally = makeTally(reader.rules);
  const limit = options.eventLimit ?? EVENT_LIMIT[format];
  const events = makeEvents(reader, tally);
  const told = { answer: () => answerOf(tally), fault: () => tally.overlong };
  if (options.strip && (format === 'openai-chat' || format === 'openai-completions'))
    return { ...strippingMeter(events, tally, limit), ...told };
  if (format === 'gemini-generate') return { ...eitherMeter(events, tally, limit), ...told };
  return { ...sseMeter(events, tally, limit), ...told };
};

type Pass = Pick<StreamMeter, 'push' | 'end'>;

const NOTHING = Buffer.alloc(0);

/** Reads events and JSON values into the tally. */
interface Events {
  readonly value: (bytes: Buffer, start: number, end: number) => void;
  readonly event: (bytes: Buffer, start: number, end: number) => EventData | null;
  readonly rest: (bytes: Buffer, start: number, end: number) => EventData | null;
}

const makeEvents = (reader: AnswerReader, tally: Tally): Events => {
  const scan = makeAnswerScanner(NOTHING);
  let isFirst = true;
  const value = (bytes: Buffer, start: number, end: number): void => {
    scan.reset(bytes, start, end);
    readPart(reader, scan, tally);
  };
  const event = (bytes: Buffer, start: number, end: number): EventData | null => {
    const data = eventData(bytes, start, end);
    tally.isBare = false;
    tally.member = null;
    if (data === null || data.start === data.end) return null;
    isFirst = false;
    if (isDone(data)) finish(tally);
    else value(data.bytes, data.start, data.end);
    return data;
  };
  /** What a stream breaks off with; where no event came at all it may be a plain JSON answer. */
  const rest = (bytes: Buffer, start: number, end: number): EventData | null => {
    const data = event(bytes, start, end);
    if (data !== null || !isFirst) return data;
    scan.reset(bytes, start, end);
    if (readPart(reader, scan, tally)) finish(tally);
    return null;
  };
  return { value, event, rest };
};

const finish = (tally: Tally): void => {
  tally.complete = true;
  if (tally.figures !== null) tally.isFinal = true;
};

/** OpenAI's own end. */
const isDone = ({ bytes, start, end }: EventData): boolean =>
  bytes[start] === 0x5b && bytes.toString('latin1', start, Math.min(end, start + 16)).trimEnd() === '[DONE]';

const sseMeter = (events: Events, tally: Tally, limit: number): Pass => {
  const splitter = new SseSplitter(limit);
  const take = (bytes: Buffer, start: number, end: number, kind: UnitKind): void => {
    if (kind === 'event') events.event(bytes, start, end);
    else if (kind === 'overlong') tally.overlong = OVERLONG;
  };
  return {
    push: (chunk) => {
      splitter.push(chunk, take);
      return chunk;
    },
    end: () => {
      splitter.end((bytes, start, end) => events.rest(bytes, start, end));
      return NOTHING;
    },
  };
};

/** Gemini: events with `alt=sse`, else one JSON array. The first byte that is no space tells. */
const eitherMeter = (events: Events, tally: Tally, limit: number): Pass => {
  const sse = sseMeter(events, tally, limit);
  const elements = new JsonElements(limit);
  let isJson: boolean | null = null;
  const take = (element: Buffer | null): void => {
    if (element === null) tally.overlong = OVERLONG;
    else events.value(element, 0, element.length);
  };
  return {
    push: (chunk) => {
      isJson ??= startsAsJson(chunk);
      if (isJson !== true) return sse.push(chunk);
      elements.push(chunk, take);
      return chunk;
    },
    end: () => sse.end(),
  };
};

/** Null where there is only space so far (which says nothing to either reader). */
const startsAsJson = (chunk: Buffer): boolean | null => {
  for (const byte of chunk) if (byte > 0x20) return byte === 0x5b || byte === 0x7b;
  return null;
};

/** Holds back the unfinished event only, and passes on each finished one without what Tollgate had asked to be added. */
const strippingMeter = (events: Events, tally: Tally, limit: number): Pass => {
  const splitter = new SseSplitter(limit);
  let pieces: Buffer[] = [];
  /** Of the chunk at hand: what lies before has been passed on or taken out. */
  let from = 0;
  let wasDropped = false;
  const read = (
    bytes: Buffer,
    start: number,
    end: number,
    kind: UnitKind,
    isLast: boolean,
  ): ReturnType<typeof addedUsage> => {
    if (kind === 'rest') return wasDropped ? 'drop' : null;
    if (kind === 'overlong') tally.overlong = OVERLONG;
    if (kind !== 'event') return null;
    const data = isLast ? events.rest(bytes, start, end) : events.event(bytes, start, end);
    if (data === null) return null;
    const added = addedUsage(data, tally);
    // Data of several lines is read from a copy: its members cannot be cut out of the event, only all of it.
    return data.bytes === bytes || added === 'drop' ? added : null;
  };
  const takeUnit = (
    bytes: Buffer,
    start: number,
    end: number,
    kind: UnitKind,
    isJoined: boolean,
    isLast = false,
  ): void => {
    const added = read(bytes, start, end, kind, isLast);
    wasDropped = added === 'drop';
    if (isJoined) {
      if (added === null) pieces.push(bytes);
      else if (added !== 'drop') pieces.push(bytes.subarray(0, added.start), bytes.subarray(added.end));
      from = splitter.next;
      return;
    }
    if (added === null) return;
    const cut = added === 'drop' ? { start, end } : added;
    if (cut.start > from) pieces.push(bytes.subarray(from, cut.start));
    from = cut.end;
  };
  return {
    push: (chunk) => {
      pieces = [];
      from = 0;
      splitter.push(chunk, (bytes, start, end, kind, isJoined) => {
        takeUnit(bytes, start, end, kind, isJoined);
      });
      if (from === 0 && pieces.length === 0 && splitter.tail === chunk.length) return chunk;
      if (splitter.tail > from) pieces.push(chunk.subarray(from, splitter.tail));
      return joined(pieces);
    },
    end: () => {
      pieces = [];
      from = 0;
      splitter.end((bytes, start, end, kind, isJoined) => {
        takeUnit(bytes, start, end, kind, isJoined, true);
      });
      return joined(pieces);
    },
  };
};

const joined = (pieces: readonly Buffer[]): Buffer =>
  pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces);
