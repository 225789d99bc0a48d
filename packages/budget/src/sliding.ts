/**
 * Sliding limits, in buckets of ledger time (design §4.8). A period of length W is cut into m buckets; any interval of
 * length W touches at most m + 1 consecutive ones, so a sum over every m + 1 within the limit bounds every such interval.
 */
import type { Period } from '@tollgate/api';

type SlidingPeriod = Exclude<Period, 'Total'>;

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

/** m: buckets to a period. Steady use reaches m / (m + 1) of the limit. */
export const SLIDING_BUCKETS: Readonly<Record<SlidingPeriod, number>> = {
  Minute: 6,
  Hour: 12,
  Day: 96,
  Week: 28,
  Month: 30,
};

const LENGTH_MS: Readonly<Record<SlidingPeriod, number>> = {
  Minute: 60 * SECOND,
  Hour: HOUR,
  Day: DAY,
  Week: 7 * DAY,
  Month: 30 * DAY,
};

export interface SlidingTerms {
  /** m + 1: so many consecutive buckets together stay within the limit. */
  readonly buckets: number;
  readonly bucketMs: number;
}

export const slidingTerms = (period: SlidingPeriod): SlidingTerms => ({
  buckets: SLIDING_BUCKETS[period] + 1,
  bucketMs: LENGTH_MS[period] / SLIDING_BUCKETS[period],
});
