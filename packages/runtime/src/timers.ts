/** Time as an argument: what a process hands to everything that waits. */

export interface Timers {
  /** Calls `act` once after `ms`; the answer cancels it. */
  after(ms: number, act: () => void): () => void;
}

export const systemTimers: Timers = {
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

/** Milliseconds that never go back; their zero means nothing. */
export const monotonicClock = (): number => performance.now();

/**
 * Milliseconds since 1970, UTC, of a machine whose clock may be wrong: what it shows before 1970 is 0, since no record
 * takes a negative time.
 */
export const wallClock =
  (clock: () => number): (() => number) =>
  () =>
    Math.max(0, clock());
