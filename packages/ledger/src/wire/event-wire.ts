/**
 * Events and intents as JSON, for the wire and for the spool. Measured: a serialiser over a copy takes 2.4 µs an event,
 * text put together by hand 2.7–4.4 µs (Node 24).
 */
import { TOKEN_KINDS, UNIT_KINDS, type Usage } from '@tollgate/metering';
import type { CounterCharge, LedgerEvent, SettleKind } from '../event.ts';
import type { CounterHold, EventHead, Intent } from '../intent.ts';
import type { EventsReply, EventsRequest } from '../session.ts';
import { decodeCounterName, decodeSubject } from './counter-wire.ts';
import {
  amount,
  at,
  count,
  countOrNull,
  fields,
  flag,
  list,
  oneOf,
  parseJson,
  parseWords,
  shortName,
  text,
  textOrNull,
  type Fields,
} from './fields.ts';

const SETTLE_KINDS: readonly SettleKind[] = ['usage', 'estimated', 'hold', 'abandoned', 'interrupted', 'void'];
const USAGE_KINDS = [...TOKEN_KINDS, ...UNIT_KINDS] as const;
const MAX_COUNTERS = 256;
export const MAX_EVENTS = 500;

export const encodeEvent = (event: LedgerEvent): string =>
  JSON.stringify({
    ...event,
    held: String(event.held),
    charged: String(event.charged),
    counters: event.counters.map((counter) => ({
      ...counter,
      held: String(counter.held),
      charged: String(counter.charged),
    })),
  });

export const decodeEvent = (value: unknown, path: string): LedgerEvent => {
  const from = fields(value, path);
  return {
    instance: shortName(from, 'instance', path),
    seq: count(from, 'seq', path),
    ...decodeHead(from, path),
    modelAnswered: textOrNull(from, 'modelAnswered', path),
    usage: decodeUsage(from['usage'], at(path, 'usage')),
    settle: oneOf(from, 'settle', path, SETTLE_KINDS),
    charged: amount(from, 'charged', path),
    status: countOrNull(from, 'status', path),
    endedAt: count(from, 'endedAt', path),
    ...(from['firstByteAt'] === undefined ? {} : { firstByteAt: count(from, 'firstByteAt', path) }),
    counters: list(from, 'counters', path, MAX_COUNTERS, decodeCharge),
  };
};

export const encodeEvents = ({ instance, events }: EventsRequest): string =>
  `{"instance":${JSON.stringify(instance)},"events":[${events.map(encodeEvent).join(',')}]}`;

export const decodeEvents = (body: string): EventsRequest => {
  const from = fields(parseWords(body), '');
  return { instance: shortName(from, 'instance', ''), events: list(from, 'events', '', MAX_EVENTS, decodeEvent) };
};

export const encodeEventsReply = ({ ack }: EventsReply): string => JSON.stringify({ ack });

export const decodeEventsReply = (body: string): EventsReply => ({
  ack: count(fields(parseJson(body), ''), 'ack', ''),
});

export const encodeIntent = ({ instance, seq, head, counters }: Intent): string =>
  JSON.stringify({
    instance,
    seq,
    head: { ...head, held: String(head.held) },
    counters: counters.map((counter) => ({ ...counter, held: String(counter.held) })),
  });

export const decodeIntent = (body: string): Intent => {
  const from = fields(parseJson(body), '');
  return {
    instance: text(from, 'instance', ''),
    seq: count(from, 'seq', ''),
    head: decodeHead(fields(from['head'], 'head'), 'head'),
    counters: list(from, 'counters', '', MAX_COUNTERS, (value, path) => decodeCounterHold(fields(value, path), path)),
  };
};

const decodeHead = (from: Fields, path: string): EventHead => ({
  requestId: text(from, 'requestId', path),
  attempt: count(from, 'attempt', path),
  subject: decodeSubject(from['subject'], at(path, 'subject')),
  user: textOrNull(from, 'user', path),
  promptId: textOrNull(from, 'promptId', path),
  promptVersion: textOrNull(from, 'promptVersion', path),
  route: textOrNull(from, 'route', path),
  backend: textOrNull(from, 'backend', path),
  provider: text(from, 'provider', path),
  format: text(from, 'format', path),
  modelAsked: textOrNull(from, 'modelAsked', path),
  modelSent: textOrNull(from, 'modelSent', path),
  held: amount(from, 'held', path),
  priceVersion: textOrNull(from, 'priceVersion', path),
  priceRow: decodePriceRow(from['priceRow'], at(path, 'priceRow')),
  unproven: flag(from, 'unproven', path),
  stream: flag(from, 'stream', path),
  startedAt: count(from, 'startedAt', path),
});

const decodePriceRow = (value: unknown, path: string): LedgerEvent['priceRow'] => {
  if (value === null || value === undefined) return null;
  const from = fields(value, path);
  const rates = from['rates'];
  return {
    model: text(from, 'model', path),
    source: text(from, 'source', path),
    date: text(from, 'date', path),
    ...(rates === undefined ? {} : { rates: decodeRates(rates, at(path, 'rates')) }),
  };
};

const decodeRates = (value: unknown, path: string): Readonly<Record<string, string>> => {
  const from = fields(value, path);
  const rates: Record<string, string> = {};
  for (const kind of USAGE_KINDS) if (from[kind] !== undefined) rates[kind] = String(amount(from, kind, path));
  return rates;
};

const decodeUsage = (value: unknown, path: string): Usage => {
  const from = fields(value, path);
  const usage: Partial<Record<(typeof USAGE_KINDS)[number], number>> = {};
  for (const kind of USAGE_KINDS) if (from[kind] !== undefined) usage[kind] = count(from, kind, path);
  return usage;
};

const decodeCounterHold = (from: Fields, path: string): CounterHold => ({
  ...decodeCounterName(from, path),
  windowId: text(from, 'windowId', path),
  epoch: text(from, 'epoch', path),
  held: amount(from, 'held', path),
  ...(from['wouldRefuse'] === undefined ? {} : { wouldRefuse: flag(from, 'wouldRefuse', path) }),
});

const decodeCharge = (value: unknown, path: string): CounterCharge => {
  const from = fields(value, path);
  return { ...decodeCounterHold(from, path), charged: amount(from, 'charged', path) };
};
