/** The provider's own book: what it billed, whoever heard of it. */
import type { CounterHold } from '../intent.ts';

export interface Billed {
  readonly instance: string;
  readonly seq: number;
  /** Nano-USD. */
  readonly cost: bigint;
  /** What the attempt held, by which its charges belong to windows. */
  readonly counters: readonly CounterHold[];
}

export interface Provider {
  readonly billed: readonly Billed[];
  bill(entry: Billed): void;
}

export const makeProvider = (): Provider => {
  const billed: Billed[] = [];
  return { billed, bill: (entry) => void billed.push(entry) };
};
