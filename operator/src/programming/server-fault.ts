import type { Fault } from '@tollgate/api';

/** The server could not be asked, or said no. */
export class ServerFault extends Error {
  readonly code = 'TOLLGATE_SERVER';
  /** Null: no answer at all. */
  readonly status: number | null;
  /** The server's own word for it, such as `ledger_unavailable`; `unreachable` where it said nothing. */
  readonly reason: string;

  /** What the server found wrong with what it was sent, each with its place: `budgets[3].spec.limits`. */
  readonly faults: readonly Fault[];

  constructor(
    status: number | null,
    reason: string,
    message: string,
    { faults = [], ...options }: { readonly cause?: unknown; readonly faults?: readonly Fault[] } = {},
  ) {
    super(message, options);
    this.faults = faults;
    this.name = 'ServerFault';
    this.status = status;
    this.reason = reason;
  }

  /** The same request will be refused again: what is asked has to change first. */
  get isFinal(): boolean {
    return (
      this.status !== null && this.status >= 400 && this.status < 500 && ![401, 403, 408, 429].includes(this.status)
    );
  }
}
