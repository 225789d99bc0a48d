/**
 * What was settled here and is not known to be stored: by so much the ledger's word on what is left of a counter is too
 * large. A sum a counter, of its present window alone.
 */
import type { Lease } from './lease.ts';

export interface UnackedCharges {
  add(seq: number, state: UnackedHolder, lease: Lease, charged: bigint): void;
  /** These events are stored. */
  acked(seqs: readonly number[]): void;
}

/** Where a counter keeps its sum; null = nothing was settled in its present window. */
export interface UnackedHolder {
  unacked: UnackedSum | null;
}

/** A counter's sum in one window. */
export interface UnackedSum {
  /** The latest of that window: knows when the window ends. */
  lease: Lease;
  amount: bigint;
}

interface Part {
  readonly sum: UnackedSum;
  readonly amount: bigint;
  readonly next: Part | undefined;
}

export const makeUnackedCharges = (): UnackedCharges => {
  const parts = new Map<number, Part>();
  return {
    add: (seq, state, lease, charged) => {
      const sum = sumFor(state, lease);
      if (sum === null || charged === 0n) return;
      sum.amount += charged;
      parts.set(seq, { sum, amount: charged, next: parts.get(seq) });
    },
    acked: (seqs) => {
      for (const seq of seqs) {
        for (let part = parts.get(seq); part !== undefined; part = part.next) part.sum.amount -= part.amount;
        parts.delete(seq);
      }
    },
  };
};

export const unackedOf = ({ unacked }: Readonly<UnackedHolder>, now: number): bigint =>
  unacked !== null && now < unacked.lease.deadline ? unacked.amount : 0n;

/** Null: of a window before the one that is summed, which nobody asks about any more. */
const sumFor = (state: UnackedHolder, lease: Lease): UnackedSum | null => {
  const { unacked } = state;
  if (unacked?.lease.windowId === lease.windowId) {
    if (lease.deadline > unacked.lease.deadline) unacked.lease = lease;
    return unacked;
  }
  if (unacked !== null && lease.windowStart < unacked.lease.windowStart) return null;
  return (state.unacked = { lease, amount: 0n });
};
