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

export const seqFault = (kind: 'seq_reused' | 'seq_too_old', seq: number): LedgerRequestError =>
  kind === 'seq_reused'
    ? new LedgerRequestError(kind, `sequence ${String(seq)} of this instance stood for another request`)
    : new LedgerRequestError(kind, `sequence ${String(seq)} is no longer remembered: take a new one`);
