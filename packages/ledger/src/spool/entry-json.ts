/** Journal entries as JSON. Intents and events have the wire's own form. */
import { decodeEvent, decodeIntent, encodeEvent, encodeIntent } from '../wire/event-wire.ts';
import { decodeCounterName } from '../wire/counter-wire.ts';
import { amount, at, count, fields, flag, list, parseJson, text } from '../wire/fields.ts';
import { WireFault } from '../wire/wire-fault.ts';
import type { Entry, SeqRange } from './journal.ts';
import type { SpoolRecord } from './record.ts';

export const encodeEntry = (entry: Entry): string => {
  switch (entry.type) {
    case 'I':
      return encodeIntent(entry.intent);
    case 'S':
      return encodeEvent(entry.event);
    case 'T':
      return JSON.stringify({
        instance: entry.instance,
        seq: entry.tightened.seq,
        held: String(entry.tightened.held),
        counters: entry.tightened.counters.map(String),
      });
    case 'L':
      return JSON.stringify({ instance: entry.instance, ...entry.grant, amount: String(entry.grant.amount) });
    case 'P':
    case 'C':
    case 'A':
      return JSON.stringify({ ...entry, type: undefined });
    default: {
      const never: never = entry;
      throw new TypeError(`no such entry: ${String(never)}`);
    }
  }
};

export const decodeEntry = ({ type, json }: Pick<SpoolRecord, 'type' | 'json'>): Entry => {
  switch (type) {
    case 'I':
      return { type, intent: decodeIntent(json) };
    case 'S':
      return { type, event: decodeEvent(parseJson(json), '') };
    case 'P': {
      const from = fields(parseJson(json), '');
      return {
        type,
        instance: text(from, 'instance', ''),
        epoch: text(from, 'epoch', ''),
        lastSeq: count(from, 'lastSeq', ''),
        damaged: flag(from, 'damaged', ''),
      };
    }
    case 'L': {
      const from = fields(parseJson(json), '');
      return {
        type,
        instance: text(from, 'instance', ''),
        grant: {
          ...decodeCounterName(from, ''),
          leaseId: text(from, 'leaseId', ''),
          epoch: text(from, 'epoch', ''),
          windowId: text(from, 'windowId', ''),
          amount: amount(from, 'amount', ''),
        },
      };
    }
    case 'T': {
      const from = fields(parseJson(json), '');
      return {
        type,
        instance: text(from, 'instance', ''),
        tightened: {
          seq: count(from, 'seq', ''),
          held: amount(from, 'held', ''),
          counters: list(from, 'counters', '', 1_000, (each, path) => amount({ each }, 'each', path)),
        },
      };
    }
    case 'C': {
      const from = fields(parseJson(json), '');
      return { type, instance: text(from, 'instance', ''), epoch: text(from, 'epoch', '') };
    }
    case 'A': {
      const from = fields(parseJson(json), '');
      return { type, instance: text(from, 'instance', ''), ranges: list(from, 'ranges', '', 1_000_000, decodeRange) };
    }
    default: {
      const never: never = type;
      throw new TypeError(`no such record: ${String(never)}`);
    }
  }
};

const decodeRange = (value: unknown, path: string): SeqRange => {
  if (!Array.isArray(value)) throw new WireFault(path, 'a pair of sequence numbers');
  const pair = fields({ first: value[0] as unknown, last: value[1] as unknown }, path);
  const first = count(pair, 'first', path);
  const last = count(pair, 'last', path);
  if (last < first) throw new WireFault(at(path, 'last'), 'at least the first');
  return [first, last];
};
