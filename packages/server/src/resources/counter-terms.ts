import type { SnapshotBudget, SnapshotLimit, TokenBudget } from '@tollgate/api';
import { overdraftLimit, slidingTerms } from '@tollgate/budget';
import { windowAt } from '@tollgate/budget/window';
import type { CounterName, CounterWindow } from '@tollgate/ledger';
import type { CounterTerms } from '@tollgate/ledger/pool';
import { compileBudget } from '@tollgate/snapshots';

/** From budgets to counters: which limits are in force, and which window of each the ledger's time falls into. */
export interface LimitInForce {
  readonly manifest: TokenBudget;
  readonly budget: SnapshotBudget;
  readonly limit: SnapshotLimit;
}

export const budgetName = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;

/** By `<namespace>/<budget>/<limit>`; a budget's overdraft is one more of its limits here. */
export const limitsInForce = (budgets: readonly TokenBudget[]): ReadonlyMap<string, LimitInForce> =>
  new Map(
    budgets.flatMap((manifest) => {
      const budget = compileBudget(manifest);
      const overdraft = overdraftLimit(budget);
      return [...budget.limits, ...(overdraft === null ? [] : [overdraft])].map(
        (limit) => [`${budgetName(budget)}/${limit.name}`, { manifest, budget, limit }] as const,
      );
    }),
  );

/** Null where the partition is none of this limit's: the whole budget has but the empty one, the others never. */
export const termsAt = ({ budget, limit }: LimitInForce, name: CounterName, now: number): CounterTerms | null => {
  if ((limit.partitionBy === 'Budget') !== (name.partition === '')) return null;
  return {
    budget: name.budget,
    limit: name.limit,
    partition: name.partition,
    unit: limit.unit,
    max: BigInt(limit.max),
    window: windowOf(budget, limit, now),
    sliding: limit.window === 'Sliding' && limit.period !== 'Total' ? slidingTerms(limit.period) : null,
  };
};

/**
 * The window's id names what is counted besides: amounts in another unit, or of another partition with the same text,
 * must never meet in one counter when a limit is changed under its old name.
 */
export const windowOf = (budget: SnapshotBudget, limit: SnapshotLimit, now: number): CounterWindow => {
  const window = windowAt(limit.period, limit.window, budget.timeZone, now);
  return { ...window, id: `${window.id}${countedSuffix(limit)}` };
};

const countedSuffix = ({ unit, count, partitionBy }: SnapshotLimit): string => {
  const counted = unit === 'cost' ? '' : unit === 'tokens' && count !== 'Total' ? `/tokens:${count}` : `/${unit}`;
  return partitionBy === 'Budget' ? counted : `${counted}/by:${partitionBy}`;
};

/** Changes when the limit counts something else than before, and has to start from the events of its window. */
export const fingerprintOf = ({ budget, limit }: LimitInForce): string =>
  [limit.period, limit.window, budget.timeZone, limit.unit, limit.count, limit.partitionBy].join('/');

/** Whose calls, and of which models, as text: when it changes, calls of this window may not have been counted. */
export const scopeOf = ({ manifest: { spec }, limit }: LimitInForce): string =>
  JSON.stringify(
    [spec.selector ?? null, spec.namespaceSelector ?? null, spec.targetRefs ?? null, limit.models],
    inOrder,
  );

/** The order of keys in a manifest means nothing. */
const inOrder = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;
