/**
 * Bounds on what runs at once. A database that became slow shows as a refusal within a known time, and never as a pile of
 * waiting requests: work that was given up on keeps its slot until it has ended.
 */
import type { Timers } from '@tollgate/runtime';
import { RequestRefused } from './http-refusal.ts';

export interface Slots {
  /** Throws a refusal where nothing more may wait, or the work takes too long; what it began goes on. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

export interface SlotsDeps {
  /** At once. */
  readonly most: number;
  /** In line for a slot, first come first served. */
  readonly waiting: number;
  /** Waiting and work together. */
  readonly withinMs: number;
  readonly timers: Timers;
}

export const makeSlots = ({ most, waiting, withinMs, timers }: SlotsDeps): Slots => {
  let taken = 0;
  const line = new Set<() => void>();

  const leave = (): void => {
    taken -= 1;
    const [next] = line;
    if (next) {
      line.delete(next);
      next();
    }
  };

  return {
    run: (work) => {
      if (taken >= most && line.size >= waiting) throw tooMuch('slots');
      return new Promise((resolve, reject) => {
        const begin = (): void => {
          taken += 1;
          work().then(resolve, reject).finally(leave).finally(cancel);
        };
        const cancel = timers.after(withinMs, () => {
          // What has not begun never does.
          line.delete(begin);
          reject(tooMuch('slow'));
        });
        if (taken < most) begin();
        else line.add(begin);
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
