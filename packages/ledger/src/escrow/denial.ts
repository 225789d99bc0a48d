import type { Denied, HoldNeed } from './hold.ts';

/**
 * What a denial means for one waiting call: the ledger spoke of what the first in line lacked, a call asks for its whole
 * need. What is settled never comes back, so `left` only shrinks, and a need above it is exhausted whoever asked.
 */
export const deniedFor = (denied: Denied, need: HoldNeed, isFirst: boolean): Denied => ({
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
});
