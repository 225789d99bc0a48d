/** Several budgets bind one call: the strictest value of each policy field holds. */
import type { SnapshotBudget } from '@tollgate/api';

export type MergedPolicy = Pick<
  SnapshotBudget,
  | 'preset'
  | 'waitSeconds'
  | 'overdraft'
  | 'onInsufficient'
  | 'onUnpriced'
  | 'onUnboundable'
  | 'onDisconnect'
  | 'unresolvedPolicy'
>;

/** From lax to strict. */
const STRICTNESS = {
  preset: ['Standard', 'Strict'],
  onInsufficient: ['Clamp', 'Refuse'],
  onUnpriced: ['TokensOnly', 'Price', 'Refuse'],
  onUnboundable: ['Ceiling', 'Refuse'],
  onDisconnect: ['Drain', 'Cancel'],
  unresolvedPolicy: ['Release', 'Charge'],
} as const;

/**
 * Meant for the Hard budgets that bind a call: a Soft or Audit one changes no call. `Strict` refuses by itself what cannot
 * be priced or bounded exactly. Throws a RangeError for no budgets: what holds then is the caller's to say.
 */
export const mergePolicies = (budgets: readonly MergedPolicy[]): MergedPolicy => {
  if (budgets.length === 0) throw new RangeError('no budgets to merge the policies of');
  const preset = strictest(
    STRICTNESS.preset,
    budgets.map((budget) => budget.preset),
  );
  const isStrict = preset === 'Strict';
  const unpriced = budgets.map(({ onUnpriced }) => onUnpriced);
  const unboundable = budgets.map(({ onUnboundable }) => onUnboundable);
  return {
    preset,
    waitSeconds: Math.min(...budgets.map(({ waitSeconds }) => waitSeconds)),
    overdraft: leastOverdraft(budgets.map(({ overdraft }) => overdraft)),
    onInsufficient: strictest(
      STRICTNESS.onInsufficient,
      budgets.map((budget) => budget.onInsufficient),
    ),
    onUnpriced: {
      action: isStrict
        ? 'Refuse'
        : strictest(
            STRICTNESS.onUnpriced,
            unpriced.map(({ action }) => action),
          ),
      inputPerMillion: dearest(unpriced.map(({ inputPerMillion }) => inputPerMillion)),
      outputPerMillion: dearest(unpriced.map(({ outputPerMillion }) => outputPerMillion)),
    },
    onUnboundable: {
      action: isStrict
        ? 'Refuse'
        : strictest(
            STRICTNESS.onUnboundable,
            unboundable.map(({ action }) => action),
          ),
      ceiling: highestCeiling(unboundable.map(({ ceiling }) => ceiling)),
    },
    onDisconnect: strictest(
      STRICTNESS.onDisconnect,
      budgets.map((budget) => budget.onDisconnect),
    ),
    unresolvedPolicy: strictest(
      STRICTNESS.unresolvedPolicy,
      budgets.map((budget) => budget.unresolvedPolicy),
    ),
  };
};

const strictest = <T extends string>(order: readonly [T, ...T[]], values: readonly T[]): T =>
  order.findLast((value) => values.includes(value)) ?? order[0];

/** One budget without an overdraft forbids it to all. */
const leastOverdraft = (overdrafts: readonly MergedPolicy['overdraft'][]): MergedPolicy['overdraft'] => {
  const granted = overdrafts.filter((overdraft) => overdraft !== null);
  if (granted.length < overdrafts.length) return null;
  return {
    amount: String(
      granted.map(({ amount }) => BigInt(amount)).reduce((least, amount) => (amount < least ? amount : least)),
    ),
    maxDurationSeconds: Math.min(...granted.map(({ maxDurationSeconds }) => maxDurationSeconds)),
  };
};

/** The dearest stated price; null where none is stated, and the model's family prices the call. */
const dearest = (prices: readonly (string | null)[]): string | null =>
  prices.reduce(
    (most, price) => (most === null || (price !== null && BigInt(price) > BigInt(most)) ? price : most),
    null,
  );

/** A stated ceiling is a guess; without one the whole context window is held, which is a bound. So null is the highest. */
const highestCeiling = (ceilings: readonly (string | null)[]): string | null =>
  ceilings.some((ceiling) => ceiling === null) ? null : dearest(ceilings);
