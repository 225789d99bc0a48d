/** The leases in hand: what comes in by grants, and what goes back because its time, its epoch or its use is over. */
import type { CounterName } from '../counter.ts';
import type { Grant } from '../lease-port.ts';
import type { Spool } from '../spool/spool.ts';
import { leaseSize, type CounterState, type CounterStates } from './counter-state.ts';
import type { GiveBacks } from './give-backs.ts';
import { addGrant, isSameWindow, makeLease, takeBack, type Lease } from './lease.ts';

export interface Leases {
  /** The lease that may still give holds; one whose window is over is let go on the way. */
  usable(state: CounterState, now: number): Lease | null;
  /** False: the grant is of no use any more, and goes straight back. */
  grant(state: CounterState, grant: Grant, askedAt: number, now: number): boolean;
  /** After its last hold, or any hold of a lease that is no longer current, was settled. */
  settled(lease: Lease): void;
  /** Lets go of what was not used for a while. */
  trim(now: number): void;
  /** Gives back all that is free of a counter: others wait for it. */
  recall(state: CounterState): void;
  /** As above, and of what its open holds leave over: the limit was lowered, and nothing more is to be spent of it. */
  letGo(state: CounterState): void;
  retireAll(): void;
  /** Nothing of this epoch (of any, without one) is in hand or on its way back. */
  isIdle(epoch?: string): boolean;
  inHand(): readonly InHand[];
}

/** One lease, for status pages and for the simulator's oracle. */
export interface InHand extends CounterName {
  readonly windowId: string;
  readonly epoch: string;
  readonly free: bigint;
  readonly held: bigint;
}

export interface LeasesDeps {
  readonly states: CounterStates;
  readonly giveBacks: GiveBacks;
  readonly spool: Pick<Spool, 'lease' | 'epoch'>;
  readonly instance: string;
  /** Closed by us: nothing of it may be spent. */
  readonly isOver: (epoch: string) => boolean;
  /** Leases come from it now; others are let go when they are next looked at. */
  readonly isCurrent: (epoch: string) => boolean;
  readonly onFault: (fault: unknown, doing: string) => void;
}

/** No hold for this long: the lease goes back down to one usual hold, so that a restart of the ledger refuses nobody. */
const IDLE_MS = 30_000;
/** A counter without lease or hold for this long is forgotten. */
const FORGET_MS = 600_000;

export const makeLeases = ({ states, giveBacks, spool, instance, isOver, isCurrent, onFault }: LeasesDeps): Leases => {
  /** Not current any more, with holds still open. */
  const leftOver = new Set<Lease>();

  const giveBack = (lease: Lease, amount: bigint): void => {
    if (amount > 0n) giveBacks.add(takeBack(lease, amount));
  };

  const retire = (lease: Lease): void => {
    lease.retired = true;
    giveBack(lease, lease.balance);
    if (lease.held > 0n) leftOver.add(lease);
  };

  const retireCurrent = (state: CounterState): void => {
    if (state.lease) retire(state.lease);
    state.lease = null;
  };

  /** What was said of the last window says nothing of the next. */
  const endWindow = (state: CounterState): void => {
    retireCurrent(state);
    state.beyond = null;
  };

  const writeDown = (grant: Grant): void => {
    try {
      spool.epoch(instance, grant.epoch);
      spool.lease(instance, grant);
    } catch (fault) {
      // Nothing can be spent of it without an intent, which the same disk must take first.
      onFault(fault, 'write a lease down');
    }
  };

  const grantTo = (state: CounterState, grant: Grant, askedAt: number, now: number): boolean => {
    writeDown(grant);
    state.beyond = grant.left;
    const current = state.lease;
    if (current && isSameWindow(current, grant)) {
      addGrant(current, grant, askedAt);
      return true;
    }
    const lease = makeLease(grant, askedAt);
    // An earlier window in a later answer: the ledger's clock went back, and it alone says what the time is.
    const isLate = current !== null && grant.window.start < current.windowStart && askedAt < current.askedAt;
    if (isLate || lease.deadline <= now || isOver(grant.epoch)) {
      retire(lease);
      return false;
    }
    retireCurrent(state);
    state.lease = lease;
    return true;
  };

  const trimOne = (state: CounterState, lease: Lease, now: number): void => {
    const keep = leaseSize(state);
    const spare = lease.lowest;
    lease.lowest = lease.balance;
    if (state.waiting > 0 || state.isReserve) return;
    if (now - state.lastHoldAt >= IDLE_MS) {
      const floor = state.recent.p95();
      if (lease.held === 0n && lease.balance > floor) giveBack(lease, lease.balance - floor);
    } else if (spare > keep * 4n) giveBack(lease, spare - keep);
  };

  return {
    usable: (state, now) => {
      const lease = state.lease;
      if (lease === null || now < lease.deadline) return lease;
      endWindow(state);
      return null;
    },
    grant: grantTo,
    settled: (lease) => {
      if (!lease.retired) return;
      giveBack(lease, lease.balance);
      if (lease.held === 0n) leftOver.delete(lease);
    },
    trim: (now) => {
      for (const state of states.all()) {
        if (state.lease && now >= state.lease.deadline) endWindow(state);
        else if (state.lease && !isCurrent(state.lease.epoch)) retireCurrent(state);
        if (state.lease) trimOne(state, state.lease, now);
        else if (
          state.waiting === 0 &&
          !state.isReserve &&
          !state.asking &&
          state.auditAsking === null &&
          now - state.lastHoldAt > FORGET_MS
        )
          states.forget(state);
      }
    },
    recall: (state) => {
      if (!state.lease) return;
      // Also where calls wait here: it was too little for the first of them. Were each proxy to keep such a rest for its
      // own calls, all of them could wait for ever with the money of many calls in hand.
      const { balance } = state.lease;
      // Of what is kept for an outage, others get a part: they wait for the same.
      giveBack(state.lease, state.isReserve ? balance / 2n : balance);
    },
    letGo: retireCurrent,
    retireAll: () => {
      for (const state of states.all()) retireCurrent(state);
    },
    isIdle: (epoch) => {
      const isOf = (lease: Lease): boolean => epoch === undefined || lease.epoch === epoch;
      for (const lease of leftOver) if (isOf(lease)) return false;
      for (const { lease } of states.all()) if (lease !== null && isOf(lease)) return false;
      return !giveBacks.isPending(epoch);
    },
    inHand: () => {
      const all = [...leftOver];
      for (const { lease } of states.all()) if (lease) all.push(lease);
      return all.map(({ name, windowId, epoch, balance, held }) => ({ ...name, windowId, epoch, free: balance, held }));
    },
  };
};
