import type { Denied, HoldNeed } from './hold.ts';

/**
 * What a denial means for one waiting call: the ledger spoke of what the first in line lacked, a call asks for its whole
 * need. What is settled never comes back, so `left` only shrinks, and a need above it is exhausted whoever asked. Our
 * charges on their way to the ledger come off what is left; as some may be counted there already, they decide nothing.
 */
export const deniedFor = (denied: Denied, unacked: bigint, need: HoldNeed, isFirst: boolean): Denied => ({
  ...denied,
  reason:
    need.amount > denied.limit
      ? 'neverFits'
      : need.amount > denied.left
        ? 'exhausted'
        : isFirst
          ? denied.reason
          : 'held',
  need: need.amount,
  left: lessOf(denied.left, unacked),
});

/** Said to a caller that waits no longer: what is settled here and not stored yet is not held by anybody. */
export const lastWord = (denied: Denied): Denied =>
  denied.reason === 'held' && denied.need > denied.left ? { ...denied, reason: 'exhausted' } : denied;

export const lessOf = (amount: bigint, less: bigint): bigint => (amount > less ? amount - less : 0n);
