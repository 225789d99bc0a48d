import type { ErrorShape } from '../format.ts';

/** A "no" of Tollgate's own, to be said in the words of the provider whose SDK is listening. */
export interface RefusalFacts {
  readonly status: number;
  /** Stable, in snake case: `budget_exhausted`. */
  readonly code: string;
  readonly message: string;
  readonly param?: string | null;
  readonly retryAfterSeconds?: number | null;
  /** `<namespace>/<name>` of the budget that said no. */
  readonly budget?: string | null;
  /** Tells the SDKs of OpenAI and Anthropic whether to try again by themselves; null leaves it to them. */
  readonly shouldRetry?: boolean | null;
  readonly requestId?: string;
}

export interface RenderedRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const renderRefusal = (shape: ErrorShape, refusal: RefusalFacts): RenderedRefusal => ({
  status: refusal.status,
  headers: {
    'content-type': 'application/json',
    ...(refusal.retryAfterSeconds == null
      ? {}
      : { 'retry-after': String(Math.max(0, Math.ceil(refusal.retryAfterSeconds))) }),
    ...(refusal.shouldRetry == null ? {} : { 'x-should-retry': String(refusal.shouldRetry) }),
    ...(refusal.requestId === undefined
      ? {}
      : { [shape === 'anthropic' ? 'request-id' : 'x-request-id']: refusal.requestId }),
  },
  body: JSON.stringify(BODIES[shape](refusal)),
});

const BODIES: Readonly<Record<ErrorShape, (refusal: RefusalFacts) => unknown>> = {
  openai: (refusal) => ({ error: openaiError(refusal) }),
  anthropic: (refusal) => ({
    type: 'error',
    error: anthropicError(refusal),
    ...(refusal.requestId === undefined ? {} : { request_id: refusal.requestId }),
  }),
  gemini: (refusal) => ({ error: geminiError(refusal) }),
};

/** https://platform.openai.com/docs/guides/error-codes: a spent quota is told from a rate that comes back by itself. */
export const openaiError = ({
  status,
  code,
  message,
  param,
  shouldRetry,
}: RefusalFacts): Readonly<Record<string, unknown>> => {
  const rate = shouldRetry === false ? 'insufficient_quota' : 'rate_limit_error';
  const type =
    status === 429 ? rate : (OPENAI_TYPES[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error'));
  return { message, type, param: param ?? null, code };
};

const OPENAI_TYPES: Readonly<Record<number, string>> = { 401: 'authentication_error', 403: 'permission_error' };

/** https://docs.anthropic.com/en/api/errors; `code` is ours, beside what its SDK reads. */
export const anthropicError = ({ status, code, message }: RefusalFacts): Readonly<Record<string, unknown>> => ({
  type: ANTHROPIC_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error'),
  message,
  code,
});

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
};

/** https://cloud.google.com/apis/design/errors: the reason and the delay go into typed details. */
export const geminiError = ({
  status,
  code,
  message,
  budget,
  retryAfterSeconds,
}: RefusalFacts): Readonly<Record<string, unknown>> => ({
  code: status,
  message,
  status: GOOGLE_STATUS[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT'),
  details: [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: code.toUpperCase(),
      domain: 'tollgate.dev',
      ...(budget == null ? {} : { metadata: { budget } }),
    },
    ...(retryAfterSeconds == null
      ? []
      : [
          {
            '@type': 'type.googleapis.com/google.rpc.RetryInfo',
            retryDelay: `${String(Math.max(0, Math.ceil(retryAfterSeconds)))}s`,
          },
        ]),
  ],
});

const GOOGLE_STATUS: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  429: 'RESOURCE_EXHAUSTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};
