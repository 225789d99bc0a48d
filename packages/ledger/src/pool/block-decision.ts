import { blockSize } from '@tollgate/budget';
import type { DenyReason } from '../lease-port.ts';

/** How large a block to write down, or why none: pure, and the same for every block source. */
export interface BlockQuestion {
  readonly max: bigint;
  /** Blocks out of this counter: allocated − refunded. */
  readonly out: bigint;
  /** Of those, charged for good: settled + unresolved. */
  readonly spent: bigint;
  readonly need: bigint;
  readonly short: bigint;
}

export type BlockDecision =
  { readonly fits: true; readonly amount: bigint } | { readonly fits: false; readonly reason: DenyReason };

/** 0.1 % of the limit: keeps the tail of a window from being a block a call. */
const MINIMUM_SHARE = 1_000n;

export const decideBlock = ({ max, out, spent, need, short }: BlockQuestion): BlockDecision => {
  if (need > max) return { fits: false, reason: 'neverFits' };
  if (spent + need > max) return { fits: false, reason: 'exhausted' };
  const remaining = max - out;
  if (remaining < short) return { fits: false, reason: 'held' };
  const minimum = max < MINIMUM_SHARE ? 1n : max / MINIMUM_SHARE;
  return { fits: true, amount: blockSize({ need: short, remaining, limit: max, minimum }) };
};
