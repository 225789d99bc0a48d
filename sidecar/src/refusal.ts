/**
 * The one table from "no" to HTTP: every way in which the proxy itself answers instead of a provider. A refusal is a
 * value; faults that nobody foresaw become `internal`. `renderRefusal` then gives it the provider's own error shape.
 */
import type { DenyReason } from '@tollgate/ledger';

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  /** Seconds; null = no Retry-After. */
  readonly retryAfter: number | null;
  /** False tells an SDK not to try again by itself (`x-should-retry`); null leaves it to the SDK. */
  readonly shouldRetry: boolean | null;
  /** `<namespace>/<name>` of the budget that said no. */
  readonly budget: string | null;
  /** The connection is closed after this answer: what follows on it cannot be trusted or is not wanted. */
  readonly close: boolean;
}

interface Row {
  readonly status: number;
  readonly retryAfter?: number;
  readonly shouldRetry?: boolean;
  readonly close?: boolean;
}

const TABLE = {
  // The door: the request itself is wrong, nothing was read or held.
  bad_request: { status: 400, shouldRetry: false, close: true },
  ambiguous_header: { status: 400, shouldRetry: false, close: true },
  not_found: { status: 404, shouldRetry: false },
  method_not_allowed: { status: 405, shouldRetry: false },
  forbidden_origin: { status: 403, shouldRetry: false, close: true },
  request_timeout: { status: 408, close: true },
  request_too_large: { status: 413, shouldRetry: false, close: true },
  unsupported_encoding: { status: 415, shouldRetry: false, close: true },
  unsupported_media_type: { status: 415, shouldRetry: false, close: true },
  headers_too_large: { status: 431, shouldRetry: false, close: true },
  invalid_body: { status: 400, shouldRetry: false },

  // Whose call it is: asked at a gateway.
  unauthenticated: { status: 401, shouldRetry: false },
  token_review_unavailable: { status: 503, retryAfter: 1, shouldRetry: true },

  // Policy: understood, and not allowed.
  unboundable_request: { status: 400, shouldRetry: false },
  unpriced_model: { status: 403, shouldRetry: false },
  no_budget: { status: 403, shouldRetry: false },
  no_backend: { status: 400, shouldRetry: false },
  credential_missing: { status: 502, shouldRetry: false },

  // Money.
  budget_never_fits: { status: 400, shouldRetry: false },
  budget_exhausted: { status: 429, shouldRetry: false },
  budget_held: { status: 429, retryAfter: 1, shouldRetry: true },
  budget_store_unavailable: { status: 503, retryAfter: 5, shouldRetry: true },
  ledger_backpressure: { status: 503, retryAfter: 5, shouldRetry: true },
  policy_stale: { status: 503, retryAfter: 5, shouldRetry: true },

  // This process.
  busy: { status: 503, retryAfter: 1, shouldRetry: true },
  draining: { status: 503, retryAfter: 1, shouldRetry: true, close: true },
  not_ready: { status: 503, retryAfter: 1, shouldRetry: true },
  // Nobody reads it.
  caller_left: { status: 499, shouldRetry: false, close: true },
  internal: { status: 500, shouldRetry: false, close: true },

  // The provider's side.
  upstream_unreachable: { status: 502 },
  upstream_forbidden: { status: 502, shouldRetry: false },
  upstream_invalid: { status: 502 },
  upstream_redirect: { status: 502, shouldRetry: false },
  upstream_too_large: { status: 502, shouldRetry: false },
  upstream_timeout: { status: 504 },
} as const satisfies Record<string, Row>;

export type RefusalCode = keyof typeof TABLE;

export interface RefusalFacts {
  readonly param?: string | null;
  readonly retryAfter?: number | null;
  readonly budget?: string | null;
  readonly status?: number;
}

export const refuse = (code: RefusalCode, message: string, facts: RefusalFacts = {}): Refusal => {
  const row: Row = TABLE[code];
  return {
    status: facts.status ?? row.status,
    code,
    message,
    param: facts.param ?? null,
    retryAfter: facts.retryAfter === undefined ? (row.retryAfter ?? null) : facts.retryAfter,
    shouldRetry: row.shouldRetry ?? null,
    budget: facts.budget ?? null,
    close: row.close ?? false,
  };
};

/** The ledger gives nothing more. Names the first of the budgets from which the call needs money. */
export const unavailableRefusal = ([first]: readonly { readonly budget: string }[]): Refusal => {
  const whose = first === undefined ? 'its budgets' : `TokenBudget ${first.budget}`;
  return refuse(
    'budget_store_unavailable',
    `Tollgate's server gives nothing now, and what this proxy has in hand of ${whose} does not cover this call, which was ` +
      'not sent. Try again later; an "overdraft" of the budget would bridge such a time.',
    { budget: first?.budget ?? null },
  );
};

/** A Hard budget is enforced by the policy in force, or not at all. Names the first of those that bind the call. */
export const staleRefusal = ([first]: readonly { readonly budget: string }[]): Refusal => {
  const which = first === undefined ? 'a Hard TokenBudget that binds this call' : `TokenBudget ${first.budget}`;
  return refuse(
    'policy_stale',
    `Tollgate's server was not heard of for too long, so ${which} may have changed, and the call was not sent. ` +
      'Calls pass again as soon as it answers; an "overdraft" of the budget would bridge such a time.',
    { budget: first?.budget ?? null },
  );
};

const BY_REASON: Readonly<Record<DenyReason, RefusalCode>> = {
  neverFits: 'budget_never_fits',
  exhausted: 'budget_exhausted',
  held: 'budget_held',
};

export interface BudgetNo {
  readonly reason: DenyReason;
  readonly budget: string;
  readonly limit: string;
  /** Amounts as a person reads them, unit included. */
  readonly need: string;
  readonly left: string;
  readonly max: string;
  readonly resetMs: number | null;
}

/** Names the budget, the limit, what was needed and left, and what to do about it. */
export const refuseForBudget = (no: BudgetNo): Refusal => {
  const where = `TokenBudget ${no.budget}, limit "${no.limit}"`;
  const reset = no.resetMs === null ? null : Math.max(1, Math.ceil(no.resetMs / 1000));
  switch (no.reason) {
    case 'neverFits':
      return refuse(
        BY_REASON.neverFits,
        `${where}: this call can cost up to ${no.need}, more than the whole limit of ${no.max} (${no.left} left). ` +
          'Lower its maximum output tokens or its input, or raise the limit.',
        { budget: no.budget, retryAfter: null },
      );
    case 'exhausted':
      return refuse(
        BY_REASON.exhausted,
        `${where} is exhausted: this call can cost up to ${no.need}, and ${no.left} of ${no.max} is left` +
          (reset === null ? '; it never resets. ' : `; it resets in ${String(reset)} s. `) +
          'Raise the limit, or ask for less.',
        { budget: no.budget, retryAfter: reset },
      );
    case 'held':
      return refuse(
        BY_REASON.held,
        `${where}: this call can cost up to ${no.need}; ${no.left} of ${no.max} is unspent but held: ` +
          'by calls in flight (try again), or leased to proxies that are gone (see: tollgate instances list).',
        { budget: no.budget },
      );
    default:
      return no.reason satisfies never;
  }
};
