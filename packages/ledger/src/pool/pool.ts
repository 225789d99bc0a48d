import type { CounterName } from '../counter.ts';
import type { LeasePort } from '../lease-port.ts';
import type { ChargedInEpoch, JoinAnswer } from './block-source.ts';

/** The lease port with what its own server needs besides: who may lease, what was charged, what is left over. */
export interface Pool extends LeasePort {
  epoch(): string;
  /**
   * Writes the instance down as one that may lease, before it does. Throws `unknown_instance` for a stranger. `enter` writes
   * down one that says hello, which an epoch that is over never hears of: nobody would close it there for as long as it lives.
   */
  join(instance: string, enter?: (epoch: string) => Promise<JoinAnswer>): Promise<void>;
  /**
   * Charges that are committed: what was in an instance's hand is spent. Need not be waited for, and never fails: what the
   * pool misses it is told when the instance closes.
   */
  settled(charges: readonly PoolCharge[]): Promise<void>;
  /**
   * The instance holds nothing of this epoch (of `ANY_EPOCH`: of any) any more: what it was granted and neither gave back
   * nor spent returns. `leave` writes that down, and tells what its charges sum to by epoch: the source's own sums, since
   * the pool may lag the last commit.
   */
  close(instance: string, epoch: string, leave: () => Promise<readonly ChargedInEpoch[]>): Promise<void>;
  /** What is pooled and leased; nothing where the pool cannot tell right now. */
  balances(): Promise<readonly PoolBalance[]>;
  /**
   * Run every few seconds: gives back what past windows left in the pool, loads blocks that somebody left behind, and
   * follows the other servers of a shared pool.
   */
  tend(): Promise<void>;
  /**
   * On to the next epoch, with what nobody leased: the one that was running closes as soon as everyone is out of it. For
   * when someone never will be, so that what it took there is named now and not at the end of a pool that lives for months.
   */
  moveOn(): Promise<void>;
  /** Grants no more. Gives back all that is not leased, unless other servers go on with the pool. */
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
