import { LedgerUnavailable } from '@tollgate/ledger';
import { LedgerRequestError, type LedgerRequestCode } from '@tollgate/ledger/pool';
import { WireFault } from '@tollgate/ledger/wire';
import { StoreUnavailable } from '@tollgate/store';
import { ZodError } from 'zod';

/** The one table from what went wrong to what the caller is told. `known: false`: a fault of ours, logged and kept quiet. */
export interface HttpRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly known: boolean;
}

/** A no that the edge itself gives. */
export class RequestRefused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'RequestRefused';
    this.status = status;
    this.code = code;
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
  if (error instanceof RequestRefused)
    return { status: error.status, code: error.code, message: error.message, known: true };
  if (error instanceof LedgerRequestError) {
    return { status: LEDGER_STATUS[error.code], code: error.code, message: error.message, known: true };
  }
  if (error instanceof WireFault) return { status: 400, code: 'bad_request', message: error.message, known: true };
  if (error instanceof ZodError) return { status: 400, code: 'bad_request', message: issuesOf(error), known: true };
  if (error instanceof StoreUnavailable || error instanceof LedgerUnavailable) {
    return {
      status: 503,
      code: 'ledger_unavailable',
      message: 'the ledger cannot reach its database: try again',
      known: false,
    };
  }
  return bodyRefusal(error) ?? { status: 500, code: 'internal', message: 'the server failed to answer', known: false };
};

const issuesOf = ({ issues }: ZodError): string =>
  issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ');

/** What Express's body readers throw; their own texts quote the body, so none of them is passed on. */
const bodyRefusal = (error: unknown): HttpRefusal | null => {
  if (!(error instanceof Error) || !('type' in error) || typeof error.type !== 'string') return null;
  const [status, message] = BODY_FAULTS[error.type] ?? [400, 'the body cannot be read'];
  return { status, code: error.type.replaceAll('.', '_'), message, known: true };
};

const BODY_FAULTS: Readonly<Record<string, readonly [number, string]>> = {
  'entity.too.large': [413, 'the body is too large'],
  'encoding.unsupported': [415, 'bodies are not compressed here'],
  'charset.unsupported': [415, 'bodies are UTF-8 here'],
  'request.aborted': [400, 'the body ended early'],
};
