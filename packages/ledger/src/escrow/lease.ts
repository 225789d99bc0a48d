/**
 * What this proxy has in hand of one counter in one window and epoch: one or more grants, spent as one balance. Holds
 * take from it and settle into it; a lease whose window is over gives no more holds and returns what comes back.
 */
import type { CounterName } from '../counter.ts';
import type { GiveBackRequest, Grant } from '../lease-port.ts';

export interface Lease {
  readonly name: CounterName;
  readonly windowId: string;
  readonly windowStart: number;
  readonly epoch: string;
  /** When its last grant was asked for, monotonic. */
  askedAt: number;
  /** Monotonic milliseconds from which it gives no more holds; Infinity for Total. */
  deadline: number;
  /** Free to hold. Below zero is a debt: a charge was above its hold. */
  balance: bigint;
  /** In open holds. */
  held: bigint;
  /** Lowest balance since the last look: what was not needed meanwhile. */
  lowest: bigint;
  retired: boolean;
  readonly grants: GrantLeft[];
}

/** How much of a grant was not given back yet. What was spent of it is nobody's business but the events'. */
interface GrantLeft {
  readonly leaseId: string;
  amount: bigint;
}

export type Return = GiveBackRequest['returns'][number];

export const makeLease = (grant: Grant, askedAt: number): Lease => ({
  name: { budget: grant.budget, limit: grant.limit, partition: grant.partition },
  windowId: grant.window.id,
  windowStart: grant.window.start,
  epoch: grant.epoch,
  askedAt,
  deadline: deadlineOf(grant, askedAt),
  balance: grant.amount,
  held: 0n,
  lowest: grant.amount,
  retired: false,
  grants: [{ leaseId: grant.leaseId, amount: grant.amount }],
});

export const addGrant = (lease: Lease, grant: Grant, askedAt: number): void => {
  lease.balance += grant.amount;
  lease.grants.push({ leaseId: grant.leaseId, amount: grant.amount });
  lease.askedAt = Math.max(lease.askedAt, askedAt);
  // Each is early by the time its question travelled, so the later one is nearer the truth.
  lease.deadline = Math.max(lease.deadline, deadlineOf(grant, askedAt));
};

export const isSameWindow = (lease: Lease, grant: Grant): boolean =>
  lease.windowId === grant.window.id && lease.epoch === grant.epoch;

/** Takes `amount` out of the balance and names the grants it came from, the oldest first. */
export const takeBack = (lease: Lease, amount: bigint): readonly Return[] => {
  lease.balance -= amount;
  if (lease.lowest > lease.balance) lease.lowest = lease.balance;
  const returns: Return[] = [];
  let rest = amount;
  while (rest > 0n) {
    const grant = lease.grants[0];
    if (!grant) throw new RangeError('a lease cannot return more than it was granted');
    const part = grant.amount < rest ? grant.amount : rest;
    grant.amount -= part;
    rest -= part;
    if (grant.amount === 0n) lease.grants.shift();
    if (part > 0n) {
      returns.push({
        ...lease.name,
        leaseId: grant.leaseId,
        windowId: lease.windowId,
        epoch: lease.epoch,
        amount: part,
      });
    }
  }
  return returns;
};

/** The ledger counted the window's rest at some moment after it was asked: counting from the asking is never too late. */
const deadlineOf = ({ remainingMs }: Grant, askedAt: number): number =>
  remainingMs === null ? Infinity : askedAt + remainingMs;
