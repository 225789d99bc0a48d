/** While the database or the shared pool is away every request fails alike: one line a reason and some seconds, with a count. */
import type { Logger, Timers } from '@tollgate/runtime';

export interface OutageLog {
  note(failed: OutageFailure): void;
}

export interface OutageFailure {
  readonly reason: string;
  readonly code: string;
  readonly status: number;
  readonly err: unknown;
}

const EVERY_MS = 10_000;

export const makeOutageLog = ({ logger, timers }: { readonly logger: Logger; readonly timers: Timers }): OutageLog => {
  /** By reason: the last failure that no line tells of yet, and how many there are. */
  const untold = new Map<string, { count: number; last: OutageFailure }>();

  const tell = ({ reason, code, status, err }: OutageFailure, count: number): void => {
    logger.warn({ reason, code, status, err, count }, 'requests cannot be served for now');
  };
  const wait = (reason: string): void => {
    timers.after(EVERY_MS, () => {
      const rest = untold.get(reason);
      untold.delete(reason);
      if (rest === undefined || rest.count === 0) return;
      tell(rest.last, rest.count);
      untold.set(reason, { count: 0, last: rest.last });
      wait(reason);
    });
  };

  return {
    note: (failure) => {
      const before = untold.get(failure.reason);
      if (before !== undefined) {
        before.count += 1;
        before.last = failure;
        return;
      }
      untold.set(failure.reason, { count: 0, last: failure });
      tell(failure, 1);
      wait(failure.reason);
    },
  };
};
