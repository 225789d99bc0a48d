/** Google's error objects: https://cloud.google.com/apis/design/errors */
import type { ErrorStyle } from '../wire-format.ts';

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

export const geminiErrors: ErrorStyle = {
  body: (status, message, type) => ({
    error: { code: status, message, status: type ?? STATUSES[status] ?? 'UNKNOWN' },
  }),
  event: (message) => ({ data: { error: { code: 503, message, status: 'UNAVAILABLE' } } }),
};
