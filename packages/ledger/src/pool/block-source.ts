import type { LimitUnit } from '@tollgate/api';
import type { CounterName, CounterWindow } from '../counter.ts';
import type { DenyReason } from '../lease-port.ts';

/**
 * Where a pool's blocks come from: the durable end of the escrow chain. A block is written down as gone before it is
 * returned, so that losing the pool strands money and never creates it. Adapters: `store` (Postgres, PGlite) and
 * `memory-block-source.ts` (tests, the simulator).
 */
export interface BlockSource {
  /** A new life of the pool. Blocks of an earlier one are never loaded again. */
  openEpoch(): Promise<string>;
  /** Writes down that `instance` may lease in `epoch`: before its first lease, so that the set to wait for is finite. */
  join(epoch: string, instance: string): Promise<JoinAnswer>;
  allocate(request: BlockRequest): Promise<BlockAnswer>;
  /** Gives back what the pool had not leased. The amounts must be the pool's own: they become free at once. */
  refund(epoch: string, returns: readonly PoolReturn[]): Promise<void>;
}

/** `sealed`: the epoch takes nobody any more. `unknown`: this instance never said hello, has closed, or is over. */
export type JoinAnswer = 'joined' | 'sealed' | 'unknown';

/** One counter in its present window, as compiled from the budgets in force. */
export interface CounterTerms extends CounterName {
  readonly unit: LimitUnit;
  readonly max: bigint;
  readonly window: CounterWindow;
  /** Sliding only: the sum of any `buckets` consecutive windows, each `bucketMs` long, stays within the limit. */
  readonly sliding: { readonly buckets: number; readonly bucketMs: number } | null;
}

/** The terms in force for a counter at the ledger's own time; null: no budget names it. */
export type ResolveCounter = (name: CounterName) => CounterTerms | null;

export interface BlockRequest {
  readonly epoch: string;
  readonly terms: CounterTerms;
  /** What the call needs in all: decides between the reasons of a no. */
  readonly need: bigint;
  /** What the pool lacks of it: the least a block must bring. */
  readonly short: bigint;
}

export type BlockAnswer =
  /** `free`: limit less all blocks out, after this one. */
  | { readonly kind: 'block'; readonly amount: bigint; readonly free: bigint }
  /** `spent`: charged for good in this window. */
  | { readonly kind: 'refused'; readonly reason: DenyReason; readonly spent: bigint }
  | { readonly kind: 'sealed' };

export interface PoolReturn extends CounterName {
  readonly windowId: string;
  readonly amount: bigint;
}

/** What an instance's charges to a counter sum to in one epoch. */
export interface ChargedInEpoch extends PoolReturn {
  readonly epoch: string;
}
