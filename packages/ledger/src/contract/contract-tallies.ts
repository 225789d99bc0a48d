import { counterKey } from '../counter.ts';
import type { PoolBalance } from '../pool/pool.ts';
import type { CounterTally } from '../pool/tally.ts';
import type { ContractTally } from './ledger-contract.ts';

/** The durable sums beside what the pool says of the same counters. */
export const tallyWith = (
  tallies: readonly CounterTally[],
  balances: readonly PoolBalance[],
): readonly ContractTally[] =>
  tallies.map((tally) => {
    const balance = balances.find(
      (candidate) => counterKey(candidate) === counterKey(tally) && candidate.windowId === tally.windowId,
    );
    return { ...tally, pooled: balance?.pooled ?? 0n, leased: balance?.leased ?? 0n };
  });
