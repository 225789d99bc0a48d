/**
 * Keys that wait for work, each once: a key that comes again while it waits is one, and one that comes while it is worked
 * on waits until that is done. First come, first served.
 */
import type { Timers } from '@tollgate/runtime';

export interface WorkQueue {
  add(key: string): void;
  /** In `ms` milliseconds; of several times for one key the earliest counts. */
  addAfter(key: string, ms: number): void;
  /** The next key, which nobody else gets until `done`; null where none waits. */
  take(): string | null;
  done(key: string): void;
  /** Keys that wait for being taken, without those whose time has not come. */
  readonly depth: number;
  /** Takes no more keys and forgets those that wait. */
  stop(): void;
}

export interface WorkQueueOptions {
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** A key can be taken. Called while it is put in: it must not throw. */
  readonly onReady: () => void;
  /** A key came to wait, or ceased to. */
  readonly onDepth?: (depth: number) => void;
  readonly onAdded?: () => void;
  /** A key was taken that had waited for so many milliseconds. */
  readonly onTaken?: (waitedMs: number) => void;
}

interface Delayed {
  readonly at: number;
  readonly cancel: () => void;
}

export const makeWorkQueue = ({ timers, clock, onReady, onDepth, onAdded, onTaken }: WorkQueueOptions): WorkQueue => {
  /** Key to when it came; a map keeps the order of coming. */
  const waiting = new Map<string, number>();
  const delayed = new Map<string, Delayed>();
  const inWork = new Set<string>();
  /** In work, and wanted again since. */
  const again = new Map<string, number>();
  let stopped = false;

  const put = (key: string, at: number): void => {
    waiting.set(key, at);
    onDepth?.(waiting.size);
    onReady();
  };
  const add = (key: string): void => {
    if (stopped || waiting.has(key) || again.has(key)) return;
    onAdded?.();
    if (inWork.has(key)) again.set(key, clock());
    else put(key, clock());
  };

  return {
    add,
    addAfter: (key, ms) => {
      if (stopped) return;
      if (!(ms > 0)) {
        add(key);
        return;
      }
      const at = clock() + ms;
      const before = delayed.get(key);
      if (before !== undefined && before.at <= at) return;
      before?.cancel();
      const cancel = timers.after(ms, () => {
        delayed.delete(key);
        add(key);
      });
      delayed.set(key, { at, cancel });
    },
    take: () => {
      for (const [key, at] of waiting) {
        waiting.delete(key);
        inWork.add(key);
        onDepth?.(waiting.size);
        onTaken?.(clock() - at);
        return key;
      }
      return null;
    },
    done: (key) => {
      inWork.delete(key);
      const at = again.get(key);
      if (at === undefined) return;
      again.delete(key);
      if (!stopped) put(key, at);
    },
    get depth() {
      return waiting.size;
    },
    stop: () => {
      stopped = true;
      for (const { cancel } of delayed.values()) cancel();
      delayed.clear();
      waiting.clear();
      again.clear();
      onDepth?.(0);
    },
  };
};
