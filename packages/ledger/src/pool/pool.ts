import type { CounterName } from '../counter.ts';
import type { LeasePort } from '../lease-port.ts';
import type { ChargedInEpoch } from './block-source.ts';

/** The lease port with what its own server needs besides: who may lease, what was charged, what is left over. */
export interface Pool extends LeasePort {
  epoch(): string;
  /** Writes the instance down as one that may lease, before it does. Throws `unknown_instance` for a stranger. */
  join(instance: string): Promise<void>;
  /** Charges that are committed: what was in an instance's hand is spent. */
  settled(charges: readonly PoolCharge[]): void;
  /**
   * The instance holds nothing of this epoch (of `ANY_EPOCH`: of any) any more: what it was granted and neither gave back nor spent returns.
   * `leave` writes that down, so that it gets no lease from then on, and tells what its charges sum to by epoch: the
   * source's own sums, since memory may lag the last commit. Nothing is leased while it runs.
   */
  close(instance: string, epoch: string, leave: () => Promise<readonly ChargedInEpoch[]>): Promise<void>;
  balances(): readonly PoolBalance[];
  /** Gives back what past windows left in the pool. Run now and then. */
  tend(): Promise<void>;
  /** Gives back all that is not leased, and grants no more. */
  stop(): Promise<void>;
}

export interface PoolCharge extends CounterName {
  readonly instance: string;
  readonly windowId: string;
  readonly epoch: string;
  readonly charged: bigint;
}

export interface PoolBalance extends CounterName {
  readonly windowId: string;
  readonly pooled: bigint;
  readonly leased: bigint;
}
