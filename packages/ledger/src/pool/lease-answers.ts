import type { CounterName } from '../counter.ts';
import type { AcquireRequest, AcquireResult } from '../lease-port.ts';
import type { NoBlock } from './block-keeper.ts';
import type { CounterTerms } from './block-source.ts';
import type { LeaseAnswer, PoolEpoch } from './pool-state.ts';

/** What a state and a source said, in the words of the lease port. */
export const grantsOf = (
  { seq, needs }: AcquireRequest,
  epoch: PoolEpoch,
  { now, grants }: Extract<LeaseAnswer, { kind: 'granted' }>,
): AcquireResult => ({
  granted: true,
  grants: grants.flatMap(({ window, amount, left }, at) => {
    const need = needs[at];
    if (!need) return [];
    return [
      {
        ...nameOf(need),
        leaseId: `${epoch.id}.${String(seq)}.${String(at)}`,
        epoch: epoch.id,
        window,
        remainingMs: remaining(window.end, now),
        amount,
        left,
      },
    ];
  }),
});

export const denied = (
  { terms: { max, window, ...terms }, need }: { readonly terms: CounterTerms; readonly need: bigint },
  { reason, spent, roomAt }: NoBlock,
  now: number,
): AcquireResult => ({
  granted: false,
  reason,
  counter: nameOf(terms),
  need,
  limit: max,
  left: spent < max ? max - spent : 0n,
  resetMs: remaining(roomAt ?? window.end, now),
});

export const nameOf = ({ budget, limit, partition }: CounterName): CounterName => ({ budget, limit, partition });

const remaining = (end: number | null, now: number): number | null => (end === null ? null : Math.max(0, end - now));
