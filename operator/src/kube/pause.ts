/** Waiting that can be cut short. */
import type { Timers } from '@tollgate/runtime';

/** Resolves after `ms`; rejects with the signal's reason when that aborts first. */
export const pauseWith =
  (timers: Timers) =>
  (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = (): void => {
        cancel();
        // A signal's reason may be anything; it is passed on as it is.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(signal.reason);
      };
      const cancel = timers.after(ms, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
