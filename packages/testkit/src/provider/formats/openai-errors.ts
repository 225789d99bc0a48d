/** OpenAI's error objects, which Azure and every compatible host share. */
import type { ErrorStyle } from '../wire-format.ts';

const TYPES: Readonly<Record<number, readonly [type: string, code: string | null]>> = {
  400: ['invalid_request_error', null],
  401: ['invalid_request_error', 'invalid_api_key'],
  403: ['invalid_request_error', 'unsupported_country_region_territory'],
  404: ['invalid_request_error', 'model_not_found'],
  429: ['requests', 'rate_limit_exceeded'],
  500: ['server_error', null],
  503: ['server_error', null],
};

export const openAiErrors: ErrorStyle = {
  body: (status, message, type, param) => {
    const [usual, code] = TYPES[status] ?? [status >= 500 ? 'server_error' : 'invalid_request_error', null];
    return { error: { message, type: type ?? usual, param, code } };
  },
  event: (message) => ({ data: { error: { message, type: 'server_error', param: null, code: null } } }),
};
