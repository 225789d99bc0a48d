/** A call that the leases in hand did not suffice for. */
import type { EventHead } from '../intent.ts';
import type { CounterState } from './counter-state.ts';
import type { Denied, HoldNeed, HoldRequest, HoldResult } from './hold.ts';
import type { CancelTimer } from './timers.ts';

export interface Waiter {
  readonly request: HoldRequest;
  /** Of the request; what is held is as it was tightened. */
  head: EventHead;
  needs: readonly HoldNeed[];
  states: readonly CounterState[];
  /** `tightening`: refused, and set aside, holding nobody up, until its caller has answered. */
  stage: 'waiting' | 'tightening';
  mayTighten: boolean;
  /** The caller was asked for less and has not answered yet; a no that comes meanwhile waits for it. */
  isTightening: boolean;
  /** The `held` that it waits out, or the last word while it is being tightened; null while nothing was said yet. */
  denied: Denied | null;
  /** Monotonic; set by the first `held`, and not moved by a smaller need. */
  waitUntil: number | null;
  cancelTimer: CancelTimer | null;
  readonly resolve: (result: HoldResult | Promise<HoldResult>) => void;
  readonly reject: (fault: unknown) => void;
  readonly stopListening: () => void;
}

/** Two calls that wait for the same counters: one acquisition can serve both. */
export const isAlike = (a: Waiter, b: Waiter): boolean =>
  a.states.length === b.states.length && a.states.every((state, index) => state === b.states[index]);
