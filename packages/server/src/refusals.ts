/** Every refusal is counted; each kind is logged once an asker and hour, however often it comes. */
import type { Logger } from '@tollgate/runtime';
import type { ServerMetrics } from './metrics.ts';

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
  readonly metrics: ServerMetrics;
  readonly logger: Logger;
  readonly clock: () => number;
}

const AGAIN_MS = 3_600_000;
const MOST_REMEMBERED = 10_000;

export const makeRefusals = ({ metrics, logger, clock }: RefusalsDeps): Refusals => {
  const loggedAt = new Map<string, number>();
  return {
    note: ({ status, code, reason, instance, method, path }) => {
      metrics.add('tollgate_server_refused_total', { reason });
      const key = `${instance} ${reason}`;
      const now = clock();
      if (now - (loggedAt.get(key) ?? -Infinity) < AGAIN_MS) return;
      if (loggedAt.size >= MOST_REMEMBERED) loggedAt.clear();
      loggedAt.set(key, now);
      logger.warn({ status, code, reason, instance, method, path }, 'request refused');
    },
  };
};
