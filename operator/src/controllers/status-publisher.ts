/** Writes statuses at the pace that `status-pacing.ts` allows, for all kinds together. */
import type { Timers } from '@tollgate/runtime';
import {
  afterBegin,
  afterEnd,
  chooseWrites,
  NO_WRITES,
  SECOND_MS,
  type Offer,
  type PacingState,
} from './status-pacing.ts';

export interface StatusPublisher {
  /** The object's status differs by so much from what is written; `write` is called when it is its turn. */
  offer(key: string, size: number, write: () => Promise<void>): void;
  /** What was offered is written already, or its object is gone. */
  withdraw(key: string): void;
  /** Starts nothing more and waits for the writes that are under way. */
  stop(): Promise<void>;
}

export interface StatusPublisherDeps {
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** A write failed: whoever offered it decides when it is offered again. */
  readonly onFault: (key: string, error: unknown) => void;
}

interface Pending extends Offer {
  readonly write: () => Promise<void>;
}

export const makeStatusPublisher = ({ timers, clock, onFault }: StatusPublisherDeps): StatusPublisher => {
  const pending = new Map<string, Pending>();
  const writing = new Set<Promise<void>>();
  let state: PacingState = NO_WRITES;
  let isStopped = false;
  let cancel: () => void = () => undefined;
  let isScheduled = false;
  let wakeAt = Infinity;

  const wake = (at: number): void => {
    if (isStopped || (isScheduled && at >= wakeAt)) return;
    cancel();
    wakeAt = at;
    isScheduled = true;
    cancel = timers.after(Math.max(0, at - clock()), () => {
      isScheduled = false;
      wakeAt = Infinity;
      publish();
    });
  };
  const publish = (): void => {
    const now = clock();
    const { write, nextAt } = chooseWrites([...pending.values()], state, now);
    state = afterBegin(state, write, now);
    for (const key of write) {
      const offer = pending.get(key);
      pending.delete(key);
      if (offer !== undefined) begin(offer);
    }
    if (nextAt !== null) wake(nextAt);
  };
  const begin = ({ key, write }: Pending): void => {
    const done = write()
      .catch((error: unknown) => onFault(key, error))
      .finally(() => {
        writing.delete(done);
        state = afterEnd(state, clock());
        if (pending.size > 0) wake(clock() + SECOND_MS);
      });
    writing.add(done);
  };

  return {
    offer: (key, size, write) => {
      if (isStopped) return;
      const former = pending.get(key);
      pending.set(key, { key, size: Math.max(size, 0), since: former?.since ?? clock(), write });
      // Offers of one turn are compared with each other before the first of them is written.
      if (former?.size !== size) wake(clock());
    },
    withdraw: (key) => void pending.delete(key),
    stop: async () => {
      isStopped = true;
      cancel();
      pending.clear();
      await Promise.all(writing);
    },
  };
};
