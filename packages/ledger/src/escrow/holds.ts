/**
 * Holds in memory: taken over all counters at once or not at all, with nothing awaited between, so that no two calls can
 * spend the same amount. An intent is on disk before a hold is handed out, and the event before what it sets free is spent.
 * A busy proxy takes many holds in one turn of the event loop: their intents are one write, at its end.
 */
import { MAX_AMOUNT } from '@tollgate/metering';
import { counterKey, type CounterName } from '../counter.ts';
import type { CounterCharge, LedgerEvent } from '../event.ts';
import type { CounterHold, EventHead, Intent } from '../intent.ts';
import type { Spool } from '../spool/spool.ts';
import type { CounterStates } from './counter-state.ts';
import type { HoldLeg, HoldNeed, HoldRequest, OpenHold, Settlement, Tighter } from './hold.ts';
import type { Leases } from './leases.ts';
import type { UnackedCharges } from './unacked-charges.ts';

export interface Holds {
  /**
   * Null: the leases in hand do not suffice, or others wait for them and it is not our turn; nothing was taken. Throws where
   * its intent is written at once and the disk does not take it.
   */
  take(request: HoldRequest, at: number, turn: Turn | null): OpenHold | null;
  /** Writes the event and releases what was not spent; true where calls wait for what came free. */
  settle(hold: OpenHold, settlement: Settlement): boolean;
  /** Lowers an open hold, on disk first; true where something came free of it. */
  tighten(hold: OpenHold, tighter: Tighter): boolean;
  /** Open holds that can still be asked to be tightened. */
  readonly loose: Set<OpenHold>;
  readonly counts: HoldCounts;
}

/** What a call that has waited for its turn holds at last. */
export interface Turn {
  readonly head: EventHead;
  readonly needs: readonly HoldNeed[];
  readonly isOverdrawn: boolean;
}

export interface HoldCounts {
  open: number;
  /** That drew on an overdraft. */
  overdrawn: number;
  /** Charges above their holds: each one breaks the promise of no overspend, and becomes a debt on the next lease. */
  holdViolations: number;
  doubleSettles: number;
}

export interface HoldsDeps {
  readonly states: CounterStates;
  readonly leases: Leases;
  readonly unacked: UnackedCharges;
  readonly spool: Pick<Spool, 'intent' | 'settle' | 'tighten'>;
  readonly instance: string;
  readonly firstSeq: number;
  /** Milliseconds UTC, for reports. */
  readonly now: () => number;
  /** Runs something at the end of the turn at hand; null: every intent is written at once. */
  readonly defer: ((act: () => void) => void) | null;
  /** Intents of this turn could not be written: what their holds took is free again. */
  readonly onGivenUp: () => void;
  readonly onFault: (fault: unknown, doing: string) => void;
}

/** Holds whose intents are to be one write. */
interface Batch {
  readonly holds: OpenHold[];
  readonly written: PromiseWithResolvers<void>;
}

export const makeHolds = (deps: HoldsDeps): Holds => {
  const { states, leases, unacked, spool, instance, firstSeq, now, defer, onGivenUp, onFault } = deps;
  const counts: HoldCounts = { open: 0, overdrawn: 0, holdViolations: 0, doubleSettles: 0 };
  const loose = new Set<OpenHold>();
  let lastSeq = firstSeq - 1;
  let batch: Batch | null = null;

  const take: Holds['take'] = (request, at, turn) => {
    const needs = turn === null ? request.needs : turn.needs;
    const isOurTurn = turn !== null;
    const legs: HoldLeg[] = [];
    for (const need of needs) {
      const leg = draw(need, at, isOurTurn);
      if (!leg) {
        undo(legs);
        return null;
      }
      legs.push(leg);
    }
    for (const need of request.audit)
      legs.push(draw(need, at, true) ?? unleased(need, isRefused(need, request.waitMs, at)));
    for (const need of request.soft) legs.push(unleased(need, false));
    const turnEnd = defer === null ? null : (batch ??= beginBatch(defer));
    const hold: OpenHold = {
      seq: 0,
      written: turnEnd === null ? null : turnEnd.written.promise,
      head: turn === null ? request.head : turn.head,
      needs,
      wouldRefuse: request.audit.length === 0 ? NONE : legs.filter((leg) => leg.wouldRefuse).map((leg) => leg.need),
      legs,
      isOverdrawn: turn !== null && turn.isOverdrawn,
      tightenOpen: request.tightenOpen,
      settled: false,
    };
    counts.open += 1;
    if (turnEnd === null) writeDown([hold]);
    else turnEnd.holds.push(hold);
    return hold;
  };

  const beginBatch = (atTurnEnd: (act: () => void) => void): Batch => {
    const begun: Batch = { holds: [], written: Promise.withResolvers() };
    atTurnEnd(() => {
      batch = null;
      try {
        writeDown(begun.holds);
        begun.written.resolve();
      } catch (fault) {
        begun.written.reject(fault);
        onGivenUp();
      }
    });
    return begun;
  };

  const writeDown = (holds: readonly OpenHold[]): void => {
    for (const [index, hold] of holds.entries()) hold.seq = lastSeq + 1 + index;
    try {
      spool.intent(...holds.map((hold) => intentOf(hold, instance)));
    } catch (fault) {
      for (const hold of holds) giveUp(hold);
      throw fault;
    }
    lastSeq += holds.length;
    for (const hold of holds) {
      if (hold.isOverdrawn) counts.overdrawn += 1;
      if (hold.tightenOpen !== undefined) loose.add(hold);
    }
  };

  const giveUp = (hold: OpenHold): void => {
    hold.settled = true;
    hold.tightenOpen = undefined;
    counts.open -= 1;
    undo(hold.legs);
    for (const { lease } of hold.legs) if (lease !== null) leases.settled(lease);
  };

  const draw = (need: HoldNeed, at: number, isOurTurn: boolean): HoldLeg | null => {
    if (need.amount < 0n) throw new RangeError(`a hold cannot be below zero: ${need.budget}/${need.limit}`);
    const state = states.of(need, need.max);
    if (state.isLowered) {
      state.isLowered = false;
      leases.letGo(state);
    }
    if (state.waiting > 0 && !isOurTurn) return null;
    const lease = leases.usable(state, at);
    if (lease === null) return need.amount === 0n ? unleased(need, false) : null;
    if (lease.balance < need.amount) return null;
    lease.balance -= need.amount;
    lease.held += need.amount;
    if (lease.balance < lease.lowest) lease.lowest = lease.balance;
    state.recent.add(need.amount);
    state.lastHoldAt = at;
    return { need, lease, wouldRefuse: false };
  };

  const undo = (legs: readonly HoldLeg[]): void => {
    for (const { need, lease } of legs) {
      if (!lease) continue;
      lease.balance += need.amount;
      lease.held -= need.amount;
    }
  };

  const isRefused = (need: HoldNeed, waitMs: number, at: number): boolean => {
    const { auditNo } = states.of(need, need.max);
    if (auditNo === null || at >= auditNo.until || need.amount < auditNo.need) return false;
    return auditNo.reason !== 'held' || waitMs === 0;
  };

  const tighten: Holds['tighten'] = (hold, { held, needs, accepted }) => {
    if (hold.settled) return false;
    const legs = hold.legs.map((leg) => {
      const need = needs.find((each) => leg.lease !== null && counterKey(each) === counterKey(leg.need));
      return need !== undefined && need.amount < leg.need.amount
        ? { ...leg, need: { ...leg.need, amount: need.amount } }
        : leg;
    });
    const head = held < hold.head.held ? { ...hold.head, held } : hold.head;
    try {
      // What comes free may be spent at once, so a crash must not charge it here as well.
      spool.tighten(instance, { seq: hold.seq, held: head.held, counters: legs.map(({ need }) => need.amount) });
    } catch (fault) {
      onFault(fault, 'write a tighter hold down');
      return false;
    }
    let isFreed = false;
    for (const [index, { need, lease }] of hold.legs.entries()) {
      const freed = need.amount - (legs[index]?.need.amount ?? need.amount);
      if (lease === null || freed === 0n) continue;
      isFreed = true;
      lease.held -= freed;
      lease.balance += freed;
      leases.settled(lease);
      const state = states.find(need);
      if (state !== undefined && state.waiting > 0) state.freed = true;
    }
    hold.head = head;
    hold.needs = legs.slice(0, hold.needs.length).map(({ need }) => need);
    hold.legs = legs;
    accepted();
    return isFreed;
  };

  const settle = (hold: OpenHold, settlement: Settlement): boolean => {
    if (hold.settled) {
      counts.doubleSettles += 1;
      return false;
    }
    hold.settled = true;
    counts.open -= 1;
    loose.delete(hold);
    // A set that has grown keeps what it once held until a full collection: let that not be the whole call.
    hold.tightenOpen = undefined;
    const charges = hold.legs.map((leg) => chargeOf(leg, settlement));
    try {
      spool.settle(eventOf(hold, settlement, charges));
    } catch (fault) {
      // The event lives on in memory and is shipped from there; should this process die first, its intent charges the hold.
      onFault(fault, 'write a settlement down');
    }
    return release(hold, charges);
  };

  const release = ({ seq, legs, needs }: OpenHold, charges: readonly CounterCharge[]): boolean => {
    let wakes = false;
    for (const [index, { need, lease }] of legs.entries()) {
      const charged = charges[index]?.charged ?? need.amount;
      if (charged > need.amount && (lease !== null || index < needs.length)) counts.holdViolations += 1;
      if (!lease) continue;
      lease.held -= need.amount;
      lease.balance += need.amount - charged;
      if (lease.balance < lease.lowest) lease.lowest = lease.balance;
      leases.settled(lease);
      const state = states.find(need);
      if (!state) continue;
      unacked.add(seq, state, lease, charged);
      if (state.waiting > 0) {
        state.freed = true;
        wakes = true;
      }
    }
    return wakes;
  };

  // Field by field, since a copy by spreading costs the metered path ten times as much.
  const eventOf = ({ seq, head }: OpenHold, late: Settlement, counters: readonly CounterCharge[]): LedgerEvent => ({
    instance,
    seq,
    requestId: head.requestId,
    attempt: head.attempt,
    subject: head.subject,
    user: head.user,
    promptId: head.promptId,
    promptVersion: head.promptVersion,
    route: late.route === undefined ? head.route : late.route,
    backend: late.backend === undefined ? head.backend : late.backend,
    provider: head.provider,
    format: head.format,
    modelAsked: head.modelAsked,
    modelSent: late.modelSent === undefined ? head.modelSent : late.modelSent,
    modelAnswered: late.modelAnswered,
    usage: late.usage,
    settle: late.settle,
    held: head.held,
    charged: bounded(late.charged, head.held),
    priceVersion: late.priceVersion === undefined ? head.priceVersion : late.priceVersion,
    priceRow: late.priceRow === undefined ? head.priceRow : late.priceRow,
    unproven: late.unproven ?? head.unproven,
    stream: late.stream ?? head.stream,
    status: late.status,
    startedAt: head.startedAt,
    endedAt: late.endedAt ?? now(),
    firstByteAt: late.firstByteAt,
    counters,
  });

  return { take, settle, tighten, loose, counts };
};

const NONE: readonly CounterName[] = [];

const unleased = (need: HoldNeed, wouldRefuse: boolean): HoldLeg => ({ need, lease: null, wouldRefuse });

const intentOf = ({ seq, head, legs }: OpenHold, instance: string): Intent => ({
  instance,
  seq,
  head,
  counters: legs.map(counterHoldOf),
});

const counterHoldOf = ({ need, lease, wouldRefuse }: HoldLeg): CounterHold => {
  const { budget, limit, partition, amount: held } = need;
  const windowId = lease === null ? '' : lease.windowId;
  const epoch = lease === null ? '' : lease.epoch;
  return wouldRefuse
    ? { budget, limit, partition, windowId, epoch, held, wouldRefuse }
    : { budget, limit, partition, windowId, epoch, held };
};

const chargeOf = ({ need, lease, wouldRefuse }: HoldLeg, { counterCharge }: Settlement): CounterCharge => {
  const { budget, limit, partition, amount: held } = need;
  const windowId = lease === null ? '' : lease.windowId;
  const epoch = lease === null ? '' : lease.epoch;
  const charged = bounded(counterCharge(need), held);
  return wouldRefuse
    ? { budget, limit, partition, windowId, epoch, held, charged, wouldRefuse }
    : { budget, limit, partition, windowId, epoch, held, charged };
};

/** No amount is below zero or above what a counter can carry: nonsense is charged at the hold, never at nothing. */
const bounded = (charged: bigint, held: bigint): bigint =>
  charged < 0n ? held : charged > MAX_AMOUNT ? MAX_AMOUNT : charged;
