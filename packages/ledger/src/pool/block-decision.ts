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

/** Why there is no block, where there is none: `held` unless it could not be had from anyone. */
export const refusalReason = ({ max, spent, need }: Pick<BlockQuestion, 'max' | 'spent' | 'need'>): DenyReason => {
  if (need > max) return 'neverFits';
  return spent + need > max ? 'exhausted' : 'held';
};

/** 0.1 % of the limit: keeps the tail of a window from being a block a call. */
const MINIMUM_SHARE = 1_000n;

export const decideBlock = ({ max, out, spent, need, short }: BlockQuestion): BlockDecision => {
  const reason = refusalReason({ max, spent, need });
  const remaining = max - out;
  if (reason !== 'held' || remaining < short) return { fits: false, reason };
  const minimum = max < MINIMUM_SHARE ? 1n : max / MINIMUM_SHARE;
  return { fits: true, amount: blockSize({ need: short, remaining, limit: max, minimum }) };
};
