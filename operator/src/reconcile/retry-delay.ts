/** How long what failed waits: longer each time, and all of them together no faster than a bucket allows. */

export interface RetryDelay {
  /** Milliseconds until the key may come again; each call doubles the next one of that key. */
  next(key: string): number;
  /** The key is well: its next failure is a first one. */
  forget(key: string): void;
  failures(key: string): number;
}

export interface RetryDelayOptions {
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** From 0 up to 1, as Math.random gives. */
  readonly random: () => number;
  /** Milliseconds after the first failure. Default 5. */
  readonly baseMs?: number;
  /** Default 1,000,000: about 17 minutes. */
  readonly maxMs?: number;
  /** Retries a second of all keys together, once `burst` of them are used up. Default 10 and 100. */
  readonly perSecond?: number;
  readonly burst?: number;
}

/** Up to a fifth more, so that what failed together does not come again together. */
const JITTER = 0.2;

export const makeRetryDelay = ({
  clock,
  random,
  baseMs = 5,
  maxMs = 1_000_000,
  perSecond = 10,
  burst = 100,
}: RetryDelayOptions): RetryDelay => {
  const failures = new Map<string, number>();
  const intervalMs = 1000 / perSecond;
  /** When the bucket would be full again, in the time of `clock`. */
  let fullAt = -Infinity;

  return {
    next: (key) => {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      const now = clock();
      fullAt = Math.max(fullAt, now) + intervalMs;
      const ownMs = Math.min(maxMs, baseMs * 2 ** count) * (1 + JITTER * random());
      return Math.max(ownMs, fullAt - now - burst * intervalMs);
    },
    forget: (key) => void failures.delete(key),
    failures: (key) => failures.get(key) ?? 0,
  };
};
