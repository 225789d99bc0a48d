/**
 * Keeps the other side equal to what is composed here: after a change and a moment's quiet it is sent whole, again until
 * it is taken, and once a minute even where nothing changed, since the other side may have been restored from a backup.
 */
import type { Logger, Timers } from '@tollgate/runtime';
import { ServerFault } from './server-fault.ts';

export interface PushLoop {
  /** Something may have changed. */
  kick(): void;
  /** The other side was away, and may have lost what it had: asks it now rather than within the minute. */
  recheck(): void;
  stop(): Promise<void>;
}

export interface PushLoopDeps<T> {
  /** In the log: what is sent. */
  readonly resource: string;
  readonly compose: () => T | Promise<T>;
  readonly push: (value: T) => Promise<void>;
  /** Is what was pushed last still what the other side has? */
  readonly isInForce: () => Promise<boolean>;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Logger;
}

/** Milliseconds. A change waits for the next one, but not for long. */
const QUIET_MS = 100;
const MOST_MS = 500;
const RECHECK_MS = 60_000;
const RETRY_MS = { first: 500, most: 30_000 };

export const startPushLoop = <T>(deps: PushLoopDeps<T>): PushLoop => {
  const { resource, compose, push, isInForce, timers, clock, random, log } = deps;
  let sent: string | null = null;
  let checkedAt = 0;
  let firstKick: number | null = null;
  let failures = 0;
  let isRefused = false;
  let isStopped = false;
  let cancel: () => void = () => undefined;
  let running: Promise<void> | null = null;

  const schedule = (ms: number): void => {
    cancel();
    if (!isStopped) cancel = timers.after(ms, run);
  };
  const run = (): void => {
    firstKick = null;
    running = once()
      .then(
        () => {
          failures = 0;
          isRefused = false;
          return RECHECK_MS;
        },
        (err: unknown) => afterFault(err),
      )
      .then((nextMs) => {
        running = null;
        schedule(firstKick === null || waitsToRetry() ? nextMs : QUIET_MS);
      });
  };
  const waitsToRetry = (): boolean => failures > 0 && !isRefused;
  const once = async (): Promise<void> => {
    const value = await compose();
    const text = JSON.stringify(value);
    if (text === sent && (clock() - checkedAt < RECHECK_MS || (await isInForce()))) {
      checkedAt = Math.max(checkedAt, clock() - ((clock() - checkedAt) % RECHECK_MS));
      return;
    }
    sent = null;
    await push(value);
    sent = text;
    checkedAt = clock();
  };
  const afterFault = (err: unknown): number => {
    failures += 1;
    isRefused = err instanceof ServerFault && err.isFinal;
    const steps = RETRY_MS.first * 2 ** Math.min(failures - 1, 10);
    const retryInMs = isRefused ? RECHECK_MS : Math.round(Math.min(RETRY_MS.most, steps) * (0.75 + random() / 2));
    const reason = err instanceof ServerFault ? err.reason : 'failed';
    if (isRefused) log.error({ resource, reason, err, retryInMs }, 'the server refused what it was sent');
    else log.warn({ resource, reason, err, retryInMs }, 'the server was not told');
    return retryInMs;
  };

  run();
  return {
    kick: () => {
      const now = clock();
      firstKick ??= now;
      // What waits to be sent again takes the change along; what was refused may be well now.
      if (running !== null || waitsToRetry()) return;
      schedule(Math.max(0, Math.min(QUIET_MS, firstKick + MOST_MS - now)));
    },
    recheck: () => {
      checkedAt = clock() - RECHECK_MS;
      // Whatever it waits for: the other side is there now.
      if (running === null) schedule(QUIET_MS);
      else firstKick ??= clock();
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await running;
    },
  };
};
