/** Which faults of the ledger are asked again, and when. */
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';

/** A credential may be renewed, a limiter may let go: these refusals pass. */
const PASSING = [401, 403, 408, 429];
/** Hello is said again after a restart of the ledger; a budget just applied or taken away reaches both ends in a moment. */
const PASSING_REASONS = ['unknown_instance', 'unknown_counter'];

export const mayPass = (fault: unknown): boolean =>
  fault instanceof LedgerUnavailable ||
  (fault instanceof LedgerRefused && (PASSING.includes(fault.status) || PASSING_REASONS.includes(fault.reason)));

export interface Backoff {
  /** The next delay in milliseconds, jittered over its upper half. */
  next(): number;
  reset(): void;
}

export const makeBackoff = (firstMs: number, mostMs: number, random: () => number): Backoff => {
  let nextMs = firstMs;
  return {
    next: () => {
      const delay = nextMs * (0.5 + random() / 2);
      nextMs = Math.min(mostMs, nextMs * 2);
      return delay;
    },
    reset: () => {
      nextMs = firstMs;
    },
  };
};
