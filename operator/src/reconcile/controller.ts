/** The loop of one controller: keys come in, `reconcile` runs on each, and what failed comes again later. */
import type { Logger, Timers } from '@tollgate/runtime';
import type { ReconcileMetrics } from './metrics.ts';
import { makeRetryDelay, type RetryDelay } from './retry-delay.ts';
import { makeWorkQueue } from './work-queue.ts';

/**
 * Makes what the key names be as it should be, whatever happened: it is told that something changed, never what. It reads
 * the state anew each time, gives up when the signal aborts, and throws where it could not finish: the key then comes
 * again, later each time, and no sooner than the error's own `retryAfterMs` where it has one.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined>;

export interface ReconcileResult {
  /** Look again after so many milliseconds, though nothing changes. */
  readonly requeueAfterMs?: number;
}

export interface Controller {
  /** As in the metrics' label `controller`. */
  readonly name: string;
  /** At once, or after some milliseconds. A key that waits already is not doubled; the earlier time counts. */
  enqueue(key: string, afterMs?: number): void;
  /** Keys that came before wait until here. */
  start(): void;
  /**
   * Starts nothing more, lets what runs finish, and aborts what still does so after `graceMs` (20,000 unless said
   * otherwise). Resolves when nothing runs any more, or has ignored the abort.
   */
  stop(graceMs?: number): Promise<void>;
  /** For how many milliseconds each reconcile that is under way has run. */
  running(): readonly number[];
}

export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Keys worked on at the same time. Default 2. */
  readonly workers?: number;
  /** After so many milliseconds the signal of one reconcile aborts, and it counts as failed. Default 60,000. */
  readonly deadlineMs?: number;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: ReconcileMetrics;
  readonly retryDelay?: RetryDelay;
}

/** What ignores its signal for so long loses its worker, though its key stays taken until it ends. */
const IGNORED_MS = 10_000;

export const makeController = ({
  name,
  reconcile,
  workers = 2,
  deadlineMs = 60_000,
  timers,
  clock,
  random,
  log: processLog,
  metrics,
  retryDelay = makeRetryDelay({ clock, random }),
}: ControllerOptions): Controller => {
  const log = processLog.with({ process: name });
  const queueLabels = { name, controller: name };
  const controllerLabels = { controller: name };
  const runs = new Set<{ readonly startedAt: number; readonly abort: (reason: Error) => void }>();
  let state: 'new' | 'running' | 'stopping' = 'new';
  let free = workers;
  let onIdle: (() => void) | null = null;
  let isPumpDue = false;

  const queue = makeWorkQueue({
    timers,
    clock,
    // Not within the caller's turn: a list that replaces a thousand objects is read when all of them are in.
    onReady: () => {
      if (isPumpDue) return;
      isPumpDue = true;
      queueMicrotask(pump);
    },
    onDepth: (depth) => metrics.set('workqueue_depth', queueLabels, depth),
    onAdded: () => metrics.add('workqueue_adds_total', queueLabels),
    onTaken: (ms) => metrics.observe('workqueue_queue_duration_seconds', queueLabels, ms / 1000),
  });
  metrics.set('workqueue_depth', queueLabels, 0);
  metrics.set('controller_runtime_max_concurrent_reconciles', controllerLabels, workers);

  const pump = (): void => {
    isPumpDue = false;
    while (state === 'running' && free > 0) {
      const key = queue.take();
      if (key === null) return;
      setFree(free - 1);
      void work(key);
    }
  };
  const setFree = (to: number): void => {
    free = to;
    metrics.set('controller_runtime_active_workers', controllerLabels, workers - free);
    if (free === workers) onIdle?.();
  };

  /** One reconcile of one key. Never rejects. */
  const work = async (key: string): Promise<void> => {
    const startedAt = clock();
    const aborter = new AbortController();
    const run = { startedAt, abort: (reason: Error) => aborter.abort(reason) };
    runs.add(run);
    let hasWorker = true;
    const giveBack = (): void => {
      if (hasWorker) setFree(free + 1);
      hasWorker = false;
    };
    let cancel = timers.after(deadlineMs, () => {
      aborter.abort(new Error(`the reconcile of ${key} took longer than ${deadlineMs} ms`));
      cancel = timers.after(IGNORED_MS, () => {
        log.error({ name: key, durationMs: clock() - startedAt }, 'reconcile ignores its deadline');
        giveBack();
        pump();
      });
    });
    try {
      const result = await reconcile(key, aborter.signal);
      // One that looks finished though it was cut short may have left out the rest.
      aborter.signal.throwIfAborted();
      succeeded(key, result);
    } catch (error) {
      failed(key, error);
    } finally {
      cancel();
      runs.delete(run);
      const seconds = (clock() - startedAt) / 1000;
      metrics.observe('controller_runtime_reconcile_time_seconds', controllerLabels, seconds);
      metrics.observe('workqueue_work_duration_seconds', queueLabels, seconds);
      giveBack();
      queue.done(key);
      pump();
    }
  };

  const succeeded = (key: string, result: ReconcileResult | undefined): void => {
    retryDelay.forget(key);
    const afterMs = result?.requeueAfterMs;
    metrics.add('controller_runtime_reconcile_total', {
      ...controllerLabels,
      result: afterMs === undefined ? 'success' : 'requeue_after',
    });
    // Never at once: a reconcile that always asks for 0 would keep its worker for ever.
    if (afterMs !== undefined) queue.addAfter(key, Math.max(1, afterMs));
  };
  const failed = (key: string, error: unknown): void => {
    metrics.add('controller_runtime_reconcile_total', { ...controllerLabels, result: 'error' });
    metrics.add('controller_runtime_reconcile_errors_total', controllerLabels);
    // What was cut short by stopping comes again in the next process.
    if (state === 'stopping') return;
    const failures = retryDelay.failures(key) + 1;
    const retryInMs = Math.round(Math.max(retryDelay.next(key), askedDelayMs(error)));
    metrics.add('workqueue_retries_total', queueLabels);
    log.warn({ name: key, err: error, failed: failures, retryInMs }, 'reconcile failed');
    queue.addAfter(key, retryInMs);
  };

  return {
    name,
    enqueue: (key, afterMs = 0) => queue.addAfter(key, afterMs),
    start: () => {
      if (state !== 'new') return;
      state = 'running';
      pump();
    },
    stop: (graceMs = 20_000) =>
      new Promise((resolve) => {
        state = 'stopping';
        queue.stop();
        if (free === workers) {
          resolve();
          return;
        }
        let cancel = timers.after(graceMs, () => {
          for (const { abort } of runs) abort(new Error(`controller ${name} stops`));
          cancel = timers.after(IGNORED_MS, resolve);
        });
        onIdle = () => {
          cancel();
          resolve();
        };
      }),
    running: () => [...runs].map(({ startedAt }) => clock() - startedAt),
  };
};

/** A server that is overloaded says how long to stay away; its errors carry that as `retryAfterMs`. */
const askedDelayMs = (error: unknown): number =>
  Error.isError(error) && 'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? error.retryAfterMs : 0;

/** The gauges that are asked for when the page is read. Once a process. */
export const measureControllers = (metrics: ReconcileMetrics, controllers: readonly Controller[]): void => {
  const sample = (value: (runs: readonly number[]) => number) => () =>
    controllers.map((controller) => ({
      labels: { name: controller.name, controller: controller.name },
      value: value(controller.running()) / 1000,
    }));
  metrics.source(
    'workqueue_unfinished_work_seconds',
    sample((runs) => runs.reduce((sum, ms) => sum + ms, 0)),
  );
  metrics.source(
    'workqueue_longest_running_processor_seconds',
    sample((runs) => Math.max(0, ...runs)),
  );
};
