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

export const decideBlock = ({ max, out, spent, need, short }: BlockQuestion): BlockDecision => {
  if (need > max) return { fits: false, reason: 'neverFits' };
  if (spent + need > max) return { fits: false, reason: 'exhausted' };
  const remaining = max - out;
  if (remaining < short) return { fits: false, reason: 'held' };
  return { fits: true, amount: smaller(remaining, largest(short, blockSize(remaining, max))) };
};

/**
 * An eighth of what remains, so that blocks shrink as the end nears; at most 2 % of the limit, so that a lost node
 * strands little; at least 0.1 %, so that the tail is not a block a call.
 */
const blockSize = (remaining: bigint, max: bigint): bigint =>
  smaller(largest(remaining / 8n, max / 1_000n, 1n), largest(max / 50n, 1n));

const largest = (...amounts: readonly bigint[]): bigint =>
  amounts.reduce((best, amount) => (amount > best ? amount : best));
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
