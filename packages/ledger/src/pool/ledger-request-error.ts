/**
 * A request that the ledger understood and will not do, whoever asks again: the asker's fault. Nothing has changed.
 * The HTTP edge turns each code into a status.
 */
export type LedgerRequestCode =
  | 'unknown_counter'
  | 'unknown_instance'
  | 'invalid_amount'
  | 'duplicate_counter'
  | 'seq_reused'
  | 'seq_too_old'
  | 'give_back_exceeds'
  | 'event_conflict'
  | 'events_missing';

export class LedgerRequestError extends Error {
  readonly code: LedgerRequestCode;

  constructor(code: LedgerRequestCode, message: string) {
    super(message);
    this.name = 'LedgerRequestError';
    this.code = code;
  }
}
