/** Anthropic's error objects: https://docs.anthropic.com/en/api/errors */
import type { ErrorStyle } from '../wire-format.ts';

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

export const anthropicErrors: ErrorStyle = {
  body: (status, message, type) => ({
    type: 'error',
    error: { type: type ?? TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error'), message },
    request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy',
  }),
  event: (message) => ({ event: 'error', data: { type: 'error', error: { type: 'overloaded_error', message } } }),
};
