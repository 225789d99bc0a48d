import type { Fault } from '@tollgate/api';
import { LedgerUnavailable } from '@tollgate/ledger';
import { LedgerRequestError, type LedgerRequestCode } from '@tollgate/ledger/pool';
import { ContractMismatch, WireFault } from '@tollgate/ledger/wire';
import { StoreUnavailable } from '@tollgate/store';
import { ZodError } from 'zod';

/** The one table from what went wrong to what the caller is told. `known: false`: a fault of ours, logged and kept quiet. */
export interface HttpRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly known: boolean;
  /** What we are built on is away, which passes: for the log, where it is no fault of ours. */
  readonly isOutage: boolean;
  /** Finer than the code, for the count alone: the asker is not told. */
  readonly reason: string;
  readonly retryAfterSeconds: number | null;
  /** Of every day, and over by itself: counted, and not worth a line. */
  readonly isExpected: boolean;
  /** What is wrong, each with its place in the body. */
  readonly faults: readonly Fault[];
}

/** A no that the edge itself gives. */
export class RequestRefused extends Error {
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  readonly retryAfterSeconds: number | null;
  readonly isExpected: boolean;
  readonly faults: readonly Fault[];

  constructor(
    status: number,
    code: string,
    message: string,
    {
      reason = code,
      retryAfterSeconds = null,
      isExpected = false,
      faults = [],
    }: Partial<Pick<HttpRefusal, 'reason' | 'retryAfterSeconds' | 'isExpected' | 'faults'>> = {},
  ) {
    super(message);
    this.name = 'RequestRefused';
    this.status = status;
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
    this.isExpected = isExpected;
    this.faults = faults;
  }
}

const LEDGER_STATUS: Readonly<Record<LedgerRequestCode, number>> = {
  unknown_counter: 404,
  unknown_instance: 409,
  invalid_amount: 400,
  duplicate_counter: 400,
  seq_reused: 409,
  seq_too_old: 409,
  give_back_exceeds: 409,
  event_conflict: 409,
  events_missing: 409,
};

export const toHttpRefusal = (error: unknown): HttpRefusal => {
  if (error instanceof RequestRefused) {
    const { status, code, message, reason, retryAfterSeconds, isExpected, faults } = error;
    return { ...refusal(status, code, message), reason, retryAfterSeconds, isExpected, faults };
  }
  if (error instanceof LedgerRequestError) return refusal(LEDGER_STATUS[error.code], error.code, error.message);
  if (error instanceof ContractMismatch) {
    // Too old: the asker has to be renewed. From the future: we have.
    return refusal(error.isTooOld ? 426 : 409, error.isTooOld ? 'contract_too_old' : 'contract_unknown', error.message);
  }
  if (error instanceof WireFault) return refusal(400, 'bad_request', error.message);
  if (error instanceof ZodError) return refusal(400, 'bad_request', issuesOf(error));
  if (error instanceof StoreUnavailable || error instanceof LedgerUnavailable) {
    return {
      ...refusal(503, 'ledger_unavailable', 'the ledger cannot reach its database: try again'),
      isOutage: true,
      reason: error instanceof StoreUnavailable ? `store_${error.reason.replaceAll('-', '_')}` : error.code,
      retryAfterSeconds: 1,
    };
  }
  return bodyRefusal(error) ?? { ...refusal(500, 'internal', 'the server failed to answer'), known: false };
};

const refusal = (status: number, code: string, message: string): HttpRefusal => ({
  status,
  code,
  message,
  known: true,
  isOutage: false,
  reason: code,
  retryAfterSeconds: null,
  isExpected: false,
  faults: [],
});

const issuesOf = ({ issues }: ZodError): string =>
  issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ');

/** What Express's body readers throw; their own texts quote the body, so none of them is passed on. */
const bodyRefusal = (error: unknown): HttpRefusal | null => {
  if (!(error instanceof Error) || !('type' in error) || typeof error.type !== 'string') return null;
  const [status, message] = BODY_FAULTS[error.type] ?? [400, 'the body cannot be read'];
  return refusal(status, error.type.replaceAll('.', '_'), message);
};

const BODY_FAULTS: Readonly<Record<string, readonly [number, string]>> = {
  'entity.too.large': [413, 'the body is too large'],
  'encoding.unsupported': [415, 'bodies are not compressed here'],
  'charset.unsupported': [415, 'bodies are UTF-8 here'],
  'request.aborted': [400, 'the body ended early'],
};
