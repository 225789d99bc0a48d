import { MAX_AMOUNT } from '@tollgate/metering';
import { counterKey, type CounterName } from '../counter.ts';
import type { GiveBackRequest, Need } from '../lease-port.ts';
import { LedgerRequestError } from './ledger-request-error.ts';

/** What no pool does, whatever its state: amounts that are none, and a counter named twice in one acquisition. */
export const checkNeeds = (needs: readonly Need[]): void => {
  needs.forEach((need) => {
    checkAmount(need, 'need', need.need);
    checkAmount(need, 'prefer', need.prefer);
  });
  const keys = new Set(needs.map(counterKey));
  if (keys.size < needs.length)
    throw new LedgerRequestError('duplicate_counter', 'one acquisition names a counter twice');
};

export const checkReturns = (returns: GiveBackRequest['returns']): void => {
  returns.forEach((back) => {
    checkAmount(back, 'amount', back.amount);
  });
};

const checkAmount = (name: CounterName, field: string, amount: bigint): void => {
  if (typeof amount === 'bigint' && amount >= 0n && amount <= MAX_AMOUNT) return;
  throw new LedgerRequestError('invalid_amount', `${field} of ${counterKey(name)} is not an amount: ${String(amount)}`);
};
