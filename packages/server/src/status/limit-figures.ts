import type { LimitUnit, SnapshotLimit } from '@tollgate/api';
import type { CounterTerms } from '@tollgate/ledger/pool';
import type { CounterUsage } from '@tollgate/store';

/** One limit's figures in its present window: of its fullest partition, where it has several. All in the limit's unit. */
export interface LimitFigures {
  readonly name: string;
  readonly unit: LimitUnit;
  readonly partition: string;
  readonly partitions: number;
  readonly max: bigint;
  /** Charged for good: settled and unresolved, and what the first call of a new limit will find. */
  readonly spent: bigint;
  readonly unresolved: bigint;
  /** In proxies' hands: open holds, and leases ahead of need. */
  readonly held: bigint;
  readonly remaining: bigint;
  readonly percent: number;
  readonly windowStart: number;
  /** Null for Total. For a sliding limit: when its oldest part falls out. */
  readonly resetAt: number | null;
  readonly burnPerHour: bigint;
  /** When nothing is left, at the present rate; null: not before the reset, or nothing is being spent. */
  readonly exhaustsAt: number | null;
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly wouldRefuse: bigint;
  /** Of all partitions. */
  readonly unproven: bigint;
  /** Calls on paths that are not metered, of all partitions. */
  readonly unmetered: bigint;
  readonly estimated: bigint;
  readonly topModel: string | null;
}

/** What lies in the server's pool of a counter's window is in nobody's hand. */
export type PooledOf = (usage: CounterUsage) => bigint;

const HOUR = 3_600_000;
/** Below this span a rate would be a guess from one call. */
const LEAST_SPAN = 600_000;

export interface LimitView {
  readonly limit: SnapshotLimit;
  /** Window, maximum and sliding buckets of any partition: they share them. */
  readonly terms: Pick<CounterTerms, 'max' | 'window' | 'sliding'>;
  /** What the first call will find spent beyond what the counter says; 0 where the limit has partitions. */
  readonly unbooked: bigint;
}

/** The counters of the limit's present window: of a sliding one, its buckets. */
export const presentRows = (
  { limit, terms }: Pick<LimitView, 'limit' | 'terms'>,
  usage: readonly CounterUsage[],
): readonly CounterUsage[] => usage.filter((row) => row.limit === limit.name && inWindow(row, terms));

export const limitFigures = (
  view: LimitView,
  usage: readonly CounterUsage[],
  pooledOf: PooledOf,
  now: number,
): LimitFigures => {
  const current = presentRows(view, usage);
  const byPartition = Map.groupBy(current, ({ partition }) => partition);
  const all = [...byPartition].map(([partition, rows]) => figuresOf(view, partition, rows, pooledOf, now));
  const fullest = all.reduce(
    (best, figures) => (figures.spent > best.spent ? figures : best),
    all[0] ?? figuresOf(view, '', [], pooledOf, now),
  );
  const sum = (of: (row: CounterUsage) => bigint): bigint => current.reduce((total, row) => total + of(row), 0n);
  return {
    ...fullest,
    partitions: all.length,
    unproven: sum((row) => row.unproven),
    unmetered: sum((row) => row.unmetered),
  };
};

const inWindow = (row: CounterUsage, { window, sliding }: LimitView['terms']): boolean => {
  if (!sliding) return row.windowId === window.id;
  const first = window.start - (sliding.buckets - 1) * sliding.bucketMs;
  // The id is the bucket's start and then what is counted: `…/Hour/Sliding/requests`.
  const counted = (id: string): string => id.slice(id.indexOf('/'));
  return row.windowStart >= first && row.windowStart <= window.start && counted(row.windowId) === counted(window.id);
};

const figuresOf = (
  { limit, terms: { max, window }, unbooked }: LimitView,
  partition: string,
  rows: readonly CounterUsage[],
  pooledOf: PooledOf,
  now: number,
): LimitFigures => {
  const sum = (of: (row: CounterUsage) => bigint): bigint => rows.reduce((total, row) => total + of(row), 0n);
  const unresolved = sum((row) => row.unresolved);
  const spent = sum((row) => row.settled) + unresolved + unbooked;
  const held = sum((row) => row.allocated - row.refunded - row.settled - row.unresolved - pooledOf(row));
  const remaining = atLeastZero(max - spent);
  const burnPerHour = burnRate(rows, now);
  const projected = burnPerHour > 0n ? now + Number((remaining * BigInt(HOUR)) / burnPerHour) : null;
  return {
    name: limit.name,
    unit: limit.unit,
    partition,
    partitions: 0,
    max,
    spent,
    unresolved,
    held: atLeastZero(held),
    remaining,
    percent: max === 0n ? 100 : Number((spent * 100n) / max),
    windowStart: window.start,
    resetAt: window.end,
    burnPerHour,
    exhaustsAt:
      remaining === 0n ? now : projected !== null && (window.end === null || projected < window.end) ? projected : null,
    calls: sum((row) => row.calls),
    inputTokens: sum((row) => row.inputTokens),
    outputTokens: sum((row) => row.outputTokens),
    wouldRefuse: sum((row) => row.wouldRefuse),
    unproven: sum((row) => row.unproven),
    unmetered: sum((row) => row.unmetered),
    estimated: sum((row) => row.estimated),
    topModel: topModelOf(rows),
  };
};

/** What the last hour's spending comes to an hour: over the hour, or since the first charge in it. */
const burnRate = (rows: readonly CounterUsage[], now: number): bigint => {
  const recent = rows.reduce((total, row) => total + row.recent, 0n);
  const from = rows.reduce((first, row) => Math.min(first, row.recentFrom ?? now), now);
  const span = Math.min(HOUR, Math.max(LEAST_SPAN, now - from));
  return (recent * BigInt(HOUR)) / BigInt(Math.round(span));
};

/** Of several buckets: the one that was spent most in knows best. */
const topModelOf = (rows: readonly CounterUsage[]): string | null =>
  rows.reduce<CounterUsage | null>((best, row) => (best && best.settled >= row.settled ? best : row), null)?.topModel ??
  null;

const atLeastZero = (amount: bigint): bigint => (amount < 0n ? 0n : amount);
