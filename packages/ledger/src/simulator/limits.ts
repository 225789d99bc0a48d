/** The limits in force, as they are now: they may be lowered, raised or deleted within a run. */
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import { counterKey, type CounterName, type CounterWindow } from '../counter.ts';
import type { CounterTerms } from '../pool/block-source.ts';
import type { OverdraftTerms } from '../escrow/overdrafts.ts';
import type { PlannedLimit } from './schedule.ts';

/** One outage may draw on an overdraft for so long. */
const OVERDRAFT_MS = 60_000;

export interface Limits {
  readonly all: readonly PlannedLimit[];
  /** Null: deleted. */
  maxOf(limit: PlannedLimit): bigint | null;
  change(index: number, max: number | null): void;
  /** What a proxy may take ahead of need, for an outage. */
  overdrafts(): readonly OverdraftTerms[];
  find(name: CounterName): PlannedLimit | undefined;
  /** `now` in ledger time: milliseconds since 1970. */
  resolve(name: CounterName, now: number): CounterTerms | null;
}

export const makeLimits = (all: readonly PlannedLimit[]): Limits => {
  const byName = new Map(all.map((limit) => [counterKey({ ...limit, partition: '' }), limit]));
  const maxima = new Map<PlannedLimit, bigint | null>(all.map((limit) => [limit, BigInt(limit.max)]));

  const find = ({ budget, limit }: CounterName): PlannedLimit | undefined =>
    byName.get(counterKey({ budget, limit, partition: '' }));
  const maxOf = (limit: PlannedLimit): bigint | null => maxima.get(limit) ?? null;

  return {
    all,
    maxOf,
    change: (index, max) => {
      const limit = all[index];
      if (limit) maxima.set(limit, max === null ? null : BigInt(max));
    },
    overdrafts: () =>
      all.flatMap((limit) => {
        const amount = limit.limit === OVERDRAFT_LIMIT ? maxOf(limit) : null;
        return amount === null ? [] : [{ budget: limit.budget, amount, maxDurationMs: OVERDRAFT_MS }];
      }),
    find,
    resolve: (name, now) => {
      const limit = find(name);
      const max = limit ? maxOf(limit) : null;
      if (!limit || max === null) return null;
      const { budget, limit: line, unit } = limit;
      const window = windowAt(limit, now);
      return { budget, limit: line, partition: name.partition, unit, max, sliding: slidingOf(limit), window };
    },
  };
};

const windowAt = ({ limit, windowMs }: PlannedLimit, now: number): CounterWindow => {
  if (windowMs === null) return { id: 'Total', start: 0, end: null };
  const start = now - (now % windowMs);
  return { id: `${String(start)}/${limit}`, start, end: start + windowMs };
};

/** Null: not sliding. */
export const slidingOf = ({ windowMs, buckets }: PlannedLimit): { buckets: number; bucketMs: number } | null =>
  windowMs === null || buckets === null ? null : { buckets, bucketMs: windowMs };
