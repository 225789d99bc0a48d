/**
 * The ledger answered and will not do it: a wrong request, a credential it does not take, an id that stands for
 * something else. Asking the same again changes nothing, unlike `LedgerUnavailable`.
 */
export class LedgerRefused extends Error {
  readonly code = 'ledger_refused';
  readonly status: number;
  /** The ledger's own code, such as `unknown_instance`. */
  readonly reason: string;

  constructor(message: string, status: number, reason: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LedgerRefused';
    this.status = status;
    this.reason = reason;
  }
}
