import { LedgerRequestError } from '@tollgate/ledger/pool';

/** Another body under an id that is known: a fault of the sender, which nothing here can settle. */
export const eventConflict = (seqs: readonly number[]): LedgerRequestError =>
  new LedgerRequestError(
    'event_conflict',
    `stored under the same id with another body: sequence ${seqs.slice(0, 10).join(', ')}`,
  );
