/** Counters and subjects as JSON. */
import type { Subject } from '@tollgate/api';
import type { CounterName, CounterWindow } from '../counter.ts';
import { at, count, countOrNull, fields, text, type Fields } from './fields.ts';
import { WireFault } from './wire-fault.ts';

export const decodeCounterName = (from: Fields, path: string): CounterName => ({
  budget: text(from, 'budget', path),
  limit: text(from, 'limit', path),
  partition: text(from, 'partition', path),
});

export const decodeWindow = (value: unknown, path: string): CounterWindow => {
  const from = fields(value, path);
  return { id: text(from, 'id', path), start: count(from, 'start', path), end: countOrNull(from, 'end', path) };
};

export const decodeSubject = (value: unknown, path: string): Subject => {
  const from = fields(value, path);
  return {
    namespace: text(from, 'namespace', path),
    workload: text(from, 'workload', path),
    ...(from['workloadKind'] === undefined ? {} : { workloadKind: text(from, 'workloadKind', path) }),
    ...(from['serviceAccount'] === undefined ? {} : { serviceAccount: text(from, 'serviceAccount', path) }),
    ...(from['pod'] === undefined ? {} : { pod: text(from, 'pod', path) }),
    labels: decodeLabels(from['labels'], at(path, 'labels')),
    team: text(from, 'team', path),
  };
};

const decodeLabels = (value: unknown, path: string): Readonly<Record<string, string>> => {
  const from = fields(value, path);
  const keys = Object.keys(from);
  if (keys.length > 256) throw new WireFault(path, 'at most 256 labels');
  const labels: Record<string, string> = {};
  for (const key of keys) {
    if (key === '__proto__' || key.length > MAX_LABEL) throw new WireFault(path, 'names of labels');
    labels[key] = text(from, key, path);
  }
  return labels;
};

/** A prefix of 253, a slash, a name of 63. */
const MAX_LABEL = 317;
