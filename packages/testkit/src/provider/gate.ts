/** Withholds answers until a test lets them go, so that "all are decided, none has settled" is a state and not a race. */
import { once } from 'node:events';

export interface Gate {
  /** From now on every call waits before its first byte. */
  hold(): void;
  /** Lets all waiting calls go, and later ones pass; or only the first `count`, the gate staying shut. */
  release(count?: number): void;
  waiting(): number;
  /** Resolves once so many calls wait at the same time. */
  untilWaiting(count: number): Promise<void>;
  /** What a call goes through; returns early when its caller leaves. */
  pass(gone: AbortSignal): Promise<void>;
}

export const makeGate = (): Gate => {
  let isShut = false;
  const waiting = new Set<() => void>();
  const watchers = new Set<() => void>();

  return {
    hold: () => void (isShut = true),
    release(count) {
      if (count === undefined) isShut = false;
      for (const go of [...waiting].slice(0, count)) go();
    },
    waiting: () => waiting.size,
    untilWaiting: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (waiting.size < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    async pass(gone) {
      if (!isShut) return;
      const opened = new AbortController();
      const go = (): void => opened.abort();
      waiting.add(go);
      for (const look of watchers) look();
      await Promise.race([once(opened.signal, 'abort'), gone.aborted ? null : once(gone, 'abort')]);
      waiting.delete(go);
    },
  };
};
