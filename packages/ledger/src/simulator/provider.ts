/** The provider's own book: what it billed, whoever heard of it. Entries are looked at as they come. */
import type { CounterHold } from '../intent.ts';

export interface Billed {
  readonly instance: string;
  readonly seq: number;
  /** Nano-USD. */
  readonly cost: bigint;
  /** In each counter's own unit, with the window that the attempt was held in (empty: no lease stood behind it). */
  readonly counters: readonly BilledCounter[];
}

export interface BilledCounter extends CounterHold {
  readonly used: bigint;
  /** What the plan calls its bound, whatever was held in fact. */
  readonly bound: bigint;
  /** Must hold its bound before it is sent. */
  readonly isHard: boolean;
}

export interface Provider {
  readonly billed: readonly Billed[];
  bill(entry: Billed): void;
}

export const makeProvider = (onBill: (entry: Billed) => void): Provider => {
  const billed: Billed[] = [];
  return {
    billed,
    bill: (entry) => {
      billed.push(entry);
      onBill(entry);
    },
  };
};
