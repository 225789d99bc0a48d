/**
 * Bounds on what runs at once. A database that became slow shows as a refusal within a known time, and never as a pile of
 * waiting requests: work that was given up on keeps its slot until it has ended.
 */
import type { Timers } from '@tollgate/runtime';
import { RequestRefused } from './http-refusal.ts';

export interface Slots {
  /** Throws a refusal where no slot is free, or the work takes too long; what it began goes on. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export interface SlotsDeps {
  readonly most: number;
  readonly withinMs: number;
  readonly timers: Timers;
}

export const makeSlots = ({ most, withinMs, timers }: SlotsDeps): Slots => {
  let taken = 0;
  return {
    run: (work) => {
      if (taken >= most) throw tooMuch('slots');
      taken += 1;
      const running = work().finally(() => {
        taken -= 1;
      });
      return new Promise((resolve, reject) => {
        const cancel = timers.after(withinMs, () => reject(tooMuch('slow')));
        running.then(resolve, reject).finally(cancel);
      });
    },
  };
};

/** One at a time of each name: a second batch of an instance would only wait for the first one's locks. */
export const makeOneEach = (): { enter(name: string): () => void } => {
  const inside = new Set<string>();
  return {
    enter: (name) => {
      if (inside.has(name)) throw tooMuch('batch_in_flight');
      inside.add(name);
      return () => inside.delete(name);
    },
  };
};

/** Bytes of bodies that are in memory, counted before they are read. */
export const makeByteBudget = (most: number): { take(bytes: number): () => void } => {
  let taken = 0;
  return {
    take: (bytes) => {
      if (taken + bytes > most) throw tooMuch('bytes');
      taken += bytes;
      let isHeld = true;
      return () => {
        if (isHeld) taken -= bytes;
        isHeld = false;
      };
    },
  };
};

const tooMuch = (what: string): RequestRefused =>
  new RequestRefused(503, 'ledger_backpressure', 'the ledger has enough to do: try again in a moment', {
    reason: `backpressure_${what}`,
    retryAfterSeconds: 1,
  });
