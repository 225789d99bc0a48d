import type { CounterName } from '../counter.ts';

/** The durable side of one counter in one window: sums that only grow. */
export interface CounterTally extends CounterName {
  readonly windowId: string;
  readonly allocated: bigint;
  readonly refunded: bigint;
  readonly settled: bigint;
  /** Taken by a lost instance, or open when a new limit started: charged, and visible as such. */
  readonly unresolved: bigint;
}

/** Blocks that are out of the counter: what a further block has to fit beside. */
export const outOf = (tally: CounterTally): bigint => tally.allocated - tally.refunded;
