/** Each kind of refusal is logged once an asker and hour, however often it comes. */
import type { Logger } from '@tollgate/runtime';

export interface Refusals {
  note(refused: Refused): void;
}

export interface Refused {
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  /** The instance, else the caller's name, else nobody. */
  readonly instance: string;
  readonly method: string;
  readonly path: string;
}

export interface RefusalsDeps {
  readonly logger: Logger;
  readonly clock: () => number;
}

const AGAIN_MS = 3_600_000;
const MOST_REMEMBERED = 10_000;

export const makeRefusals = ({ logger, clock }: RefusalsDeps): Refusals => {
  const loggedAt = new Map<string, number>();
  return {
    note: ({ status, code, reason, instance, method, path }) => {
      const key = `${instance} ${reason}`;
      const now = clock();
      if (now - (loggedAt.get(key) ?? -Infinity) < AGAIN_MS) return;
      if (loggedAt.size >= MOST_REMEMBERED) loggedAt.clear();
      loggedAt.set(key, now);
      logger.warn({ status, code, reason, instance, method, path }, 'request refused');
    },
  };
};
