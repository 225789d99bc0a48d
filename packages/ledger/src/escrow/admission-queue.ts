/**
 * Calls that wait for leases, first come first served per counter: a call is looked at once no earlier one waits for any
 * of its counters. The first in line makes one acquisition for all that wait for the same counters as it does.
 */
import { LedgerUnavailable, type Grant, type Need } from '../lease-port.ts';
import type { Acquire } from './acquisition.ts';
import { leaseSize, MOST_BATCH, type CounterState, type CounterStates } from './counter-state.ts';
import { deniedFor, lastWord, lessOf } from './denial.ts';
import { EscrowClosed } from './escrow-closed.ts';
import {
  handOut,
  type Denied,
  type HoldNeed,
  type HoldRequest,
  type HoldResult,
  type OpenHold,
  type SmallerBound,
} from './hold.ts';
import type { Leases } from './leases.ts';
import type { Timers } from './timers.ts';
import { unackedOf } from './unacked-charges.ts';
import { isAlike, type Waiter } from './waiter.ts';

export interface AdmissionQueue {
  join(request: HoldRequest): Promise<HoldResult>;
  /** Looks again: money came free, or time has passed. */
  pump(): void;
  isEmpty(): boolean;
  /** Turns everybody away. */
  close(): void;
}

export interface AdmissionQueueDeps {
  readonly take: (waiter: Waiter, now: number) => OpenHold | null;
  /** In an outage, and where an overdraft stands in for what is missing. */
  readonly overdraw: (waiter: Waiter, now: number) => OpenHold | null;
  /** The ledger was asked and said nothing for too long. */
  readonly onSilence: (now: number) => void;
  readonly states: CounterStates;
  readonly leases: Leases;
  readonly acquire: Acquire;
  readonly clock: () => number;
  readonly timers: Timers;
  readonly random: () => number;
  /** The ledger's last fault: the cause of a call's `LedgerUnavailable`. */
  readonly lastFault: () => unknown;
  /** Calls wait for what others hold of this counter: what is settled here should reach the ledger soon. */
  readonly onHeld: (state: CounterState) => void;
}

/** So long may the ledger be silent before a call is told so. */
const SILENCE_MS = 3_000;
const HELD_FIRST_MS = 50;
const HELD_MOST_MS = 400;

export const makeAdmissionQueue = (deps: AdmissionQueueDeps): AdmissionQueue => {
  const { take, overdraw, onSilence, states, leases, acquire, clock, timers, random, lastFault, onHeld } = deps;
  const queue = new Set<Waiter>();
  let pass = 0;
  let pumping = false;
  let pumpAgain = false;

  const join = (request: HoldRequest): Promise<HoldResult> =>
    new Promise((resolve, reject) => {
      const signal = request.signal?.() ?? null;
      if (signal?.aborted) {
        reject(abortError(signal));
        return;
      }
      const onAbort = signal
        ? (): void => {
            leave(waiter);
            reject(abortError(signal));
            pump();
          }
        : null;
      const waiter: Waiter = {
        request,
        head: request.head,
        needs: [],
        states: [],
        stage: 'waiting',
        mayTighten: request.tighten !== undefined,
        isTightening: false,
        denied: null,
        waitUntil: null,
        cancelTimer: null,
        resolve,
        reject,
        stopListening: () => {
          if (signal && onAbort) signal.removeEventListener('abort', onAbort);
        },
      };
      setNeeds(waiter, request.needs);
      queue.add(waiter);
      if (signal && onAbort) signal.addEventListener('abort', onAbort, { once: true });
      awaitAnswer(waiter, SILENCE_MS);
      pump();
    });

  const setNeeds = (waiter: Waiter, needs: readonly HoldNeed[]): void => {
    for (const state of waiter.states) state.waiting -= 1;
    waiter.needs = needs;
    waiter.states = needs.map((need) => states.of(need, need.max));
    for (const state of waiter.states) state.waiting += 1;
  };

  const leave = (waiter: Waiter): void => {
    if (!queue.delete(waiter)) return;
    for (const state of waiter.states) state.waiting -= 1;
    waiter.cancelTimer?.();
    waiter.stopListening();
  };

  const turnAway = (waiter: Waiter, denied: Denied): void => {
    leave(waiter);
    waiter.resolve({ held: false, denied: lastWord(denied) });
  };

  const fail = (waiter: Waiter, fault: unknown): void => {
    leave(waiter);
    waiter.reject(fault);
  };

  /** While nothing was said: silence of the ledger is a fault. Answers to those before it in line count as a sign of life. */
  const awaitAnswer = (waiter: Waiter, ms: number): void => {
    waiter.cancelTimer?.();
    waiter.cancelTimer = timers.after(ms, () => {
      const heard = waiter.states.reduce((last, state) => Math.max(last, state.answeredAt), -Infinity);
      const rest = heard + SILENCE_MS - clock();
      if (rest > 0) {
        awaitAnswer(waiter, rest);
        return;
      }
      onSilence(clock());
      if (serveOverdraft(waiter)) {
        pump();
        return;
      }
      const counters = waiter.states.map((state) => state.key).join(', ');
      fail(waiter, new LedgerUnavailable(`no answer about a lease of ${counters}`, { cause: lastFault() }));
      pump();
    });
  };

  /** Once it was said that others hold the money: wait so long, and no longer. */
  const awaitMoney = (waiter: Waiter, denied: Denied, isFirst: boolean): void => {
    const isNews = waiter.denied === null;
    waiter.denied = denied;
    if (!isNews) return;
    waiter.waitUntil ??= clock() + waiter.request.waitMs;
    const rest = waiter.waitUntil - clock();
    if (rest <= 0) {
      refuse(waiter, denied);
      return;
    }
    waiter.cancelTimer?.();
    waiter.cancelTimer = timers.after(rest, () => {
      refuse(waiter, waiter.denied ?? denied);
      pump();
    });
    // A smaller need may fit where this one waits. One at a time, since counting tokens is work.
    if (isFirst && waiter.mayTighten) tighten(waiter, denied);
  };

  /** The last word, unless the caller can still ask for less, or is about to. */
  const refuse = (waiter: Waiter, denied: Denied): void => {
    if (waiter.stage === 'tightening') return;
    if (!waiter.mayTighten && !waiter.isTightening) {
      turnAway(waiter, denied);
      return;
    }
    waiter.stage = 'tightening';
    waiter.denied = denied;
    waiter.cancelTimer?.();
    waiter.cancelTimer = null;
    if (waiter.mayTighten) tighten(waiter, denied);
  };

  /** Asked once. A no that is said meanwhile waits for what comes of it. */
  const tighten = (waiter: Waiter, denied: Denied): void => {
    waiter.mayTighten = false;
    waiter.isTightening = true;
    void smallerBound(waiter, denied).then((smaller) => {
      waiter.isTightening = false;
      if (!isIn(waiter)) return;
      const isRefused = waiter.stage === 'tightening';
      if (smaller === null) {
        if (isRefused) turnAway(waiter, waiter.denied ?? denied);
        return;
      }
      if (isRefused) {
        waiter.stage = 'waiting';
        waiter.denied = null;
        awaitAnswer(waiter, SILENCE_MS);
      }
      useBound(waiter, smaller);
    });
  };

  const smallerBound = async (waiter: Waiter, denied: Denied): Promise<SmallerBound | null> => {
    try {
      return (await waiter.request.tighten?.(denied)) ?? null;
    } catch {
      // Whatever kept the caller from a smaller bound, the larger one stands refused.
      return null;
    }
  };

  const isIn = (waiter: Waiter): boolean => queue.has(waiter);

  const useBound = (waiter: Waiter, { held, needs }: SmallerBound): void => {
    waiter.head = { ...waiter.head, held };
    setNeeds(waiter, needs);
    pump();
  };

  const pump = (): void => {
    if (pumping) {
      pumpAgain = true;
      return;
    }
    pumping = true;
    do {
      pumpAgain = false;
      pass += 1;
      for (const waiter of queue) if (waiter.stage === 'waiting') serve(waiter);
    } while (pumpAgain);
    pumping = false;
  };

  const serve = (waiter: Waiter): void => {
    const isBehind = waiter.states.some((state) => state.passedAt === pass);
    if (!isBehind) {
      try {
        const hold = take(waiter, clock());
        if (hold) {
          give(waiter, hold);
          return;
        }
        if (serveOverdraft(waiter)) return;
        askFor(waiter);
      } catch (fault) {
        fail(waiter, fault);
        return;
      }
    }
    for (const state of waiter.states) state.passedAt = pass;
  };

  const give = (waiter: Waiter, hold: OpenHold): void => {
    leave(waiter);
    waiter.resolve(handOut(hold));
  };

  /** True: the call waits no more. Asked by a timer too, where nobody else would catch what the disk says. */
  const serveOverdraft = (waiter: Waiter): boolean => {
    if (waiter.stage !== 'waiting') return false;
    try {
      const hold = overdraw(waiter, clock());
      if (hold) give(waiter, hold);
      return hold !== null;
    } catch (fault) {
      fail(waiter, fault);
      return true;
    }
  };

  const askFor = (waiter: Waiter): void => {
    if (waiter.states.some((state) => state.asking)) return;
    const now = clock();
    const alike = batchOf(waiter);
    const short: CounterState[] = [];
    const needs: Need[] = [];
    for (const [index, state] of waiter.states.entries()) {
      const need = needOf(waiter, alike, index, state, now);
      if (!need) continue;
      if (now < state.retryAt && !state.freed && need.need >= state.deniedNeed) return;
      short.push(state);
      needs.push(need);
    }
    if (needs.length > 0) void ask(waiter, short, needs, alike.length > 1);
  };

  /** The first in line and those that wait for the same: while the ledger is generous, one acquisition needs for all. */
  const batchOf = (waiter: Waiter): readonly Waiter[] => {
    const most = waiter.states.reduce((least, state) => Math.min(least, state.batch), MOST_BATCH);
    const alike: Waiter[] = [];
    for (const other of queue) {
      if (alike.length >= most) break;
      if (other.stage === 'waiting' && (other === waiter || isAlike(other, waiter))) alike.push(other);
    }
    return alike;
  };

  const needOf = (
    first: Waiter,
    alike: readonly Waiter[],
    index: number,
    state: CounterState,
    now: number,
  ): Need | null => {
    const inHand = leases.usable(state, now)?.balance ?? 0n;
    const own = first.needs[index]?.amount ?? 0n;
    let sum = 0n;
    // An eighth of the limit at most, since others share it, unless the first alone is larger.
    for (const { needs } of alike) {
      const more = sum + (needs[index]?.amount ?? 0n);
      if (more > own && more > state.max / 8n) break;
      sum = more;
    }
    const wanted = sum > own ? sum : own;
    if (wanted <= inHand) return null;
    const need = wanted - inHand;
    const size = leaseSize(state);
    return { ...state.name, need, prefer: size > need ? size : need };
  };

  const ask = async (
    waiter: Waiter,
    short: readonly CounterState[],
    needs: readonly Need[],
    isBatch: boolean,
  ): Promise<void> => {
    for (const state of short) {
      state.asking = true;
      state.freed = false;
    }
    try {
      const answer = await acquire(needs, () => short.some((state) => state.waiting > 0));
      for (const state of short) state.asking = false;
      if (answer === null) return;
      for (const state of short) state.answeredAt = clock();
      if (answer.result.granted) receive(answer.result.grants, answer.askedAt, isBatch);
      else if (isBatch) for (const state of short) state.batch = 1;
      else beDenied(waiter, answer.result, needs);
    } catch (fault) {
      for (const state of short) state.asking = false;
      if (queue.has(waiter)) fail(waiter, fault);
    }
    pump();
  };

  const receive = (grants: readonly Grant[], askedAt: number, wasBatch: boolean): void => {
    const now = clock();
    for (const grant of grants) {
      const state = states.find(grant);
      if (!state) continue;
      if (!leases.grant(state, grant, askedAt, now)) {
        pauseAsking(state, 0n);
        continue;
      }
      state.backoffMs = 0;
      state.retryAt = -Infinity;
      if (wasBatch) state.batch = Math.min(MOST_BATCH, state.batch * 2);
      else if (state.batch === 1) state.batch = 2;
    }
  };

  /** Not asked again for this much for a while, unless money comes free here. */
  const pauseAsking = (state: CounterState, deniedNeed: bigint): void => {
    state.backoffMs = Math.min(HELD_MOST_MS, Math.max(HELD_FIRST_MS, state.backoffMs * 2));
    const pause = state.backoffMs * (0.5 + random() / 2);
    const retryAt = clock() + pause;
    state.retryAt = retryAt;
    state.deniedNeed = deniedNeed;
    timers.after(pause, () => {
      // A timer may fire a little before its time by the clock, and nothing else may come to look again.
      if (state.retryAt === retryAt) state.retryAt = -Infinity;
      pump();
    });
  };

  const beDenied = (first: Waiter, denied: Denied, asked: readonly Need[]): void => {
    const state = states.find(denied.counter);
    if (!state) return;
    if (denied.reason === 'held') {
      pauseAsking(state, asked.find((need) => states.find(need) === state)?.need ?? 0n);
      onHeld(state);
    }
    const inHand = (state.lease?.balance ?? 0n) + (state.lease?.held ?? 0n);
    const unacked = unackedOf(state, clock());
    state.beyond = lessOf(denied.left, inHand + unacked);
    const firstAmount = first.needs[first.states.indexOf(state)]?.amount ?? 0n;
    for (const waiter of queue) {
      if (waiter.stage !== 'waiting') continue;
      const index = waiter.states.indexOf(state);
      const need = waiter.needs[index];
      if (!need) continue;
      const own = deniedFor(denied, unacked, need, waiter === first);
      if (own.reason !== 'held') refuse(waiter, own);
      // One that would not wait, and asks for less than what was just denied, gets its own answer.
      else if (waiter === first || waiter.request.waitMs > 0 || need.amount >= firstAmount)
        awaitMoney(waiter, own, waiter === first);
    }
  };

  return {
    join,
    pump,
    isEmpty: () => queue.size === 0,
    close: () => {
      for (const waiter of queue) fail(waiter, new EscrowClosed('the proxy is draining'));
    },
  };
};

const abortError = (signal: AbortSignal): DOMException =>
  new DOMException('the caller left while its call waited for a lease', { name: 'AbortError', cause: signal.reason });
