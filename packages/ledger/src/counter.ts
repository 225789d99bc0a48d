import type { LimitUnit } from '@tollgate/api';

/**
 * A counter is limit × partition × window. The first two are named by the caller; the window is chosen by the ledger's
 * own clock, so that no proxy's clock can move money between windows. Keys use names, never UIDs: deleting and applying
 * a budget again refills nothing.
 */
export interface CounterName {
  /** `<namespace>/<budget>` */
  readonly budget: string;
  readonly limit: string;
  /** `''` for the whole budget, else the partition's value (a namespace, workload, pod or user). */
  readonly partition: string;
}

/** Stable text form of a counter's name, without its window. */
export const counterKey = ({ budget, limit, partition }: CounterName): string =>
  partition === '' ? `${budget}/${limit}` : `${budget}/${limit}#${partition}`;

/** One window of a counter, in ledger time (milliseconds since 1970, UTC). `end` is null for Total. */
export interface CounterWindow {
  /** `2026-11-21T00:00Z/Day` and the like: unique per counter name, stable across restarts. */
  readonly id: string;
  readonly start: number;
  readonly end: number | null;
}

export interface Counter extends CounterName {
  readonly window: CounterWindow;
  readonly unit: LimitUnit;
}
