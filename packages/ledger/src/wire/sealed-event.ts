/**
 * An event as the bytes that travel and that the spool keeps: it is put into words once, when its attempt is settled, and
 * nobody on its way to the ledger reads it again.
 */
import type { LedgerEvent } from '../event.ts';
import { decodeEvent, encodeEvent } from './event-wire.ts';
import { parseJson } from './fields.ts';

export interface SealedEvent {
  readonly instance: string;
  readonly seq: number;
  /** JSON in UTF-8. */
  readonly json: Buffer;
}

export const sealEvent = (event: LedgerEvent): SealedEvent => ({
  instance: event.instance,
  seq: event.seq,
  json: Buffer.from(encodeEvent(event)),
});

export const openEvent = ({ json }: SealedEvent): LedgerEvent => decodeEvent(parseJson(json.toString('utf8')), '');

/** The body of `POST /v1/events`; all events are of one instance. */
export const encodeSealed = (events: readonly SealedEvent[]): Buffer => {
  const [first] = events;
  if (first === undefined) throw new RangeError('a batch has at least one event');
  const pieces: Buffer[] = [Buffer.from(`{"instance":${JSON.stringify(first.instance)},"events":[`)];
  for (const event of events) {
    if (event !== first) pieces.push(COMMA);
    pieces.push(event.json);
  }
  pieces.push(END);
  return Buffer.concat(pieces);
};

const COMMA = Buffer.from(',');
const END = Buffer.from(']}');
