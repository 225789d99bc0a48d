/** Starts a child again when it dies, with growing pauses, until it is told to stop. */
import { monotonicClock } from '@tollgate/runtime';
import type { Child, ChildExit } from './child-process.ts';

export interface KeepRunningOptions {
  readonly start: () => Promise<Child>;
  readonly onExit: (exit: ChildExit, retryInMs: number) => void;
  readonly onReady: (child: Child) => void;
  readonly onFailedStart: (error: unknown, retryInMs: number) => void;
  readonly clock?: () => number;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Kept {
  current(): Child | null;
  stop(graceMs: number): Promise<void>;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** Having lived this long, a child's next death starts from the shortest pause again. */
const STEADY_MS = 30_000;

/** The first start is the caller's to see: it throws. Later ones are retried for ever. */
export const keepRunning = async (options: KeepRunningOptions): Promise<Kept> => {
  const { start, onExit, onReady, onFailedStart, clock = monotonicClock, pause = pauseFor } = options;
  const stopping = new AbortController();
  let child: Child | null = await start();
  onReady(child);

  const watch = async (): Promise<void> => {
    let pauseMs = FIRST_PAUSE_MS;
    let since = clock();
    while (!stopping.signal.aborted) {
      if (child !== null) {
        const exit = await child.exited;
        child = null;
        if (stopping.signal.aborted) return;
        if (clock() - since >= STEADY_MS) pauseMs = FIRST_PAUSE_MS;
        onExit(exit, pauseMs);
      }
      await pause(pauseMs, stopping.signal);
      if (stopping.signal.aborted) return;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      try {
        child = await start();
        since = clock();
        onReady(child);
      } catch (error) {
        onFailedStart(error, pauseMs);
      }
    }
  };
  const watching = watch();

  return {
    current: () => child,
    stop: async (graceMs) => {
      stopping.abort();
      await child?.stop(graceMs);
      await watching;
      // A start that was under way when the stop came.
      await child?.stop(graceMs);
    },
  };
};

const pauseFor = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
