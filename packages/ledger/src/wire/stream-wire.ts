/** The lines of the snapshot stream: a snapshot, a heartbeat, or a recall. Lines of a kind not known yet are null. */
import { checkSnapshot, type Snapshot } from '@tollgate/api';
import type { CounterName } from '../counter.ts';
import type { StreamLine } from '../session.ts';
import { decodeCounterName } from './counter-wire.ts';
import { fields, list, parseJson, text } from './fields.ts';
import { WireFault } from './wire-fault.ts';

const MAX_RECALLED = 4_096;

export const encodeSnapshot = (snapshot: Snapshot): string => `${JSON.stringify(snapshot)}\n`;

/** With the epoch that the server leases from: who has no call to ask for learns of a new one, and lets go of the former. */
export const encodePing = (epoch?: string): string =>
  epoch === undefined ? '{"ping":1}\n' : `${JSON.stringify({ ping: 1, epoch })}\n`;

export const encodeRecall = (counters: readonly CounterName[]): string =>
  `${JSON.stringify({ recall: counters.map(({ budget, limit, partition }) => ({ budget, limit, partition })) })}\n`;

export const decodeStreamLine = (line: string): StreamLine | null => {
  const value = parseJson(line);
  const from = fields(value, '');
  if (from['ping'] !== undefined)
    return { kind: 'ping', epoch: from['epoch'] === undefined ? null : text(from, 'epoch', '') };
  if (from['recall'] !== undefined) {
    const counters = list(from, 'recall', '', MAX_RECALLED, (entry, path) =>
      decodeCounterName(fields(entry, path), path),
    );
    return { kind: 'recall', counters };
  }
  if (from['contract'] === undefined) return null;
  const check = checkSnapshot(value);
  if (!check.ok) throw new WireFault(check.fault.path, `a snapshot: ${check.fault.message}`);
  return { kind: 'snapshot', snapshot: check.snapshot };
};
