import type { LimitUnit } from '@tollgate/api';
import type { CounterName, CounterWindow } from '../counter.ts';
import type { DenyReason } from '../lease-port.ts';
import type { SharedEpochs } from './shared-epochs.ts';

/**
 * Where a pool's blocks come from: the durable end of the escrow chain. A block is written down as gone before it is
 * returned, so that losing the pool strands money and never creates it. Adapters: `store` (Postgres, PGlite) and
 * `memory-block-source.ts` (tests, the simulator).
 */
export interface BlockSource {
  /** A new life of a pool that is one server's own. Blocks of an earlier one are never loaded again. */
  openEpoch(): Promise<string>;
  /** The lives of the one pool that all servers share. */
  readonly shared: SharedEpochs;
  /** Writes down that `instance` may lease in `epoch`: before its first lease, so that the set to wait for is finite. */
  join(epoch: string, instance: string): Promise<JoinAnswer>;
  /**
   * Blocks for a counter: first those of this epoch that are not known to have been loaded, whoever took them, then a
   * new one for what they lack.
   */
  allocate(request: BlockRequest): Promise<BlockAnswer>;
  /** The pool has these blocks. */
  loaded(epoch: string, blockIds: readonly string[]): Promise<void>;
  /** Blocks of the epoch that are not known to have been loaded: who took them may have died before. */
  unloaded(epoch: string): Promise<readonly UnloadedBlock[]>;
  /**
   * Gives back what the pool had not leased, once an id. The amounts must be the pool's own: they become free at once.
   */
  refund(epoch: string, id: string, returns: readonly PoolReturn[]): Promise<void>;
}

export interface Block {
  readonly id: string;
  readonly amount: bigint;
}

export interface UnloadedBlock extends Block, CounterName {
  readonly windowId: string;
  readonly windowEnd: number | null;
  /** The limit under which the counter's last block was taken. */
  readonly max: bigint;
  readonly free: bigint;
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
  /** What the call needs in all: decides between the reasons of a no. Nothing: ahead of need. */
  readonly need: bigint;
  /** What the pool lacks of it: the least a block must bring. */
  readonly short: bigint;
}

export type BlockAnswer =
  /** At least one. `free`: limit less all blocks out, these included. */
  | { readonly kind: 'blocks'; readonly blocks: readonly Block[]; readonly free: bigint }
  /**
   * `spent`: charged for good in this window. `roomAt`: of a sliding limit, when the need fits again by what is spent, in
   * milliseconds UTC; the end of the bucket says nothing of that.
   */
  | { readonly kind: 'refused'; readonly reason: DenyReason; readonly spent: bigint; readonly roomAt?: number }
  | { readonly kind: 'sealed' };

export interface PoolReturn extends CounterName {
  readonly windowId: string;
  readonly amount: bigint;
}

/** What an instance's charges to a counter sum to in one epoch. */
export interface ChargedInEpoch extends PoolReturn {
  readonly epoch: string;
}
