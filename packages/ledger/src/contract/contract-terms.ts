import type { CounterWindow } from '../counter.ts';
import type { CounterTerms } from '../pool/block-source.ts';

/** The limits that the contract suite plays with: windows of a fixed length, so that a clock in hand moves them. */
export interface ContractLimit {
  readonly budget: string;
  readonly limit: string;
  readonly max: bigint;
  /** Milliseconds; null: never resets. */
  readonly windowMs: number | null;
  readonly sliding?: CounterTerms['sliding'];
  /** A counter for each value of some partition, and none for the whole. */
  readonly partitioned?: boolean;
}

export const contractWindow = ({ windowMs }: ContractLimit, now: number): CounterWindow => {
  if (windowMs === null) return { id: 'Total', start: 0, end: null };
  const start = now - (now % windowMs);
  return { id: `${String(start)}/${String(windowMs)}`, start, end: start + windowMs };
};

export const contractTerms = (limit: ContractLimit, partition: string, now: number): CounterTerms => ({
  budget: limit.budget,
  limit: limit.limit,
  partition,
  unit: 'cost',
  max: limit.max,
  window: contractWindow(limit, now),
  sliding: limit.sliding ?? null,
});
