/** All that the escrow knows of one counter. */
import { counterKey, type CounterName } from '../counter.ts';
import type { DenyReason } from '../lease-port.ts';
import type { Lease } from './lease.ts';
import { makeRecentHolds, type RecentHolds } from './recent-holds.ts';
import type { UnackedHolder } from './unacked-charges.ts';

export interface CounterState extends UnackedHolder {
  readonly key: string;
  readonly name: CounterName;
  /** The limit's maximum, as the last need said. */
  max: bigint;
  /** The limit was lowered, and what is free in hand was leased under the higher one: the ledger is to be asked anew. */
  isLowered: boolean;
  /** Kept for an outage: not given back for want of use. */
  isReserve: boolean;
  /** The lease that new holds draw on. */
  lease: Lease | null;
  readonly recent: RecentHolds;
  lastHoldAt: number;
  /** What is left beyond our lease, by the ledger's last word on this window and what we know better; null = never heard. */
  beyond: bigint | null;
  /** Calls queued for this counter. */
  waiting: number;
  /** An acquisition that names this counter is on its way. */
  asking: boolean;
  /** When the ledger last answered about it, monotonic. */
  answeredAt: number;
  /** After a `held`: not asked again for this much or more before `retryAt`, unless money came free here. */
  deniedNeed: bigint;
  retryAt: number;
  backoffMs: number;
  freed: boolean;
  /** How many waiting calls one acquisition may name as its need. */
  batch: number;
  /** The pass over the queue that found it taken by an earlier call. */
  passedAt: number;
  /** Audit: a no is not asked again for this much or more before `until`. */
  auditNo: AuditNo | null;
  /** Audit: the question that is on its way. */
  auditAsking: Promise<void> | null;
}

export interface AuditNo {
  readonly reason: DenyReason;
  readonly need: bigint;
  readonly until: number;
}

export const MOST_BATCH = 64;

export type CounterStates = ReturnType<typeof makeCounterStates>;

export const makeCounterStates = () => {
  const states = new Map<string, CounterState>();
  return {
    find: (name: CounterName): CounterState | undefined => states.get(counterKey(name)),
    of: (name: CounterName, max: bigint): CounterState => {
      const key = counterKey(name);
      const known = states.get(key);
      if (known) {
        if (max !== known.max) changeMax(known, max);
        return known;
      }
      const made = makeCounterState(key, name, max);
      states.set(key, made);
      return made;
    },
    all: (): IterableIterator<CounterState> => states.values(),
    forget: (state: CounterState): void => {
      states.delete(state.key);
    },
  };
};

const changeMax = (state: CounterState, max: bigint): void => {
  if (state.beyond !== null) state.beyond += max - state.max;
  if (max < state.max) state.isLowered = true;
  state.max = max;
};

const makeCounterState = (key: string, { budget, limit, partition }: CounterName, max: bigint): CounterState => ({
  key,
  name: { budget, limit, partition },
  max,
  isLowered: false,
  isReserve: false,
  lease: null,
  recent: makeRecentHolds(),
  lastHoldAt: 0,
  beyond: null,
  unacked: null,
  waiting: 0,
  asking: false,
  answeredAt: -Infinity,
  deniedNeed: 0n,
  retryAt: -Infinity,
  backoffMs: 0,
  freed: false,
  batch: MOST_BATCH,
  passedAt: 0,
  auditNo: null,
  auditAsking: null,
});

/** Ahead of need: twice the usual large hold, or 0.05 % of the limit where that is more; never more than the limit. */
export const leaseSize = (state: CounterState): bigint => {
  const byUse = state.recent.p95() * 2n;
  const byLimit = state.max / 2_000n;
  const size = byUse > byLimit ? byUse : byLimit;
  return size > state.max ? state.max : size;
};
