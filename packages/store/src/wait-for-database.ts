import { StoreUnavailable } from './store-unavailable.ts';

/**
 * Waits for a database that is not there yet, with growing pauses and a word at each: a server often starts before its
 * database. One that answers and refuses is not waited for: waiting would hide a wrong password for minutes.
 */
export interface Wait {
  /** Milliseconds in all; after them the last reason is thrown. */
  readonly upToMs: number;
  readonly onWaiting: (waiting: Waiting) => void;
}

export interface Waiting {
  readonly waitedMs: number;
  readonly retryInMs: number;
  readonly reason: StoreUnavailable;
}

export interface WaitTools {
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** 0 ≤ n < 1: servers that start together do not knock together. */
  readonly random: () => number;
}

export const waitForDatabase = async <T>(
  attempt: () => Promise<T>,
  { upToMs, onWaiting }: Wait,
  { elapsed, sleep, random }: WaitTools,
): Promise<T> => {
  const start = elapsed();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      const waitedMs = elapsed() - start;
      if (waitedMs >= upToMs) throw error;
      const retryInMs = Math.round(Math.min(pause * (0.75 + random() / 2), upToMs - waitedMs));
      onWaiting({ waitedMs, retryInMs, reason: error });
      await sleep(retryInMs);
    }
  }
};

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
