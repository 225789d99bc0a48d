/**
 * Where a caller of a gateway shows its ServiceAccount token: as bearer, or in whatever header its SDK puts a key. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';

export type ShownToken =
  { readonly ok: true; readonly token: string } | { readonly ok: false; readonly message: string };

const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'] as const;
const BEARER = /^bearer +/i;
/** Three parts in base64url, and no larger than any token of Kubernetes: anything else is not worth a question. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const MOST_CHARACTERS = 8_192;
/** Google's other way to send a key. */
const KEY_IN_URL = /[?&]key=/;

export const HOW_TO_CALL =
  'send a ServiceAccount token of audience "tollgate" as the API key (Authorization: Bearer, x-api-key, api-key or x-goog-api-key)';

export const shownToken = (headers: IncomingHttpHeaders, url: string): ShownToken => {
  if (KEY_IN_URL.test(url))
    return { ok: false, message: `this gateway takes no key in a URL, where it would be logged: ${HOW_TO_CALL}` };
  let isShown = false;
  const bearer = headers.authorization?.replace(BEARER, '');
  // An SDK may find a provider's key in its environment and send it beside the token, so each place is looked at.
  for (const value of [bearer, ...KEY_HEADERS.map((name) => headers[name])]) {
    if (typeof value !== 'string' || value === '') continue;
    if (value.length <= MOST_CHARACTERS && TOKEN.test(value)) return { ok: true, token: value };
    isShown = true;
  }
  return {
    ok: false,
    message: isShown
      ? `the key that was sent is no ServiceAccount token; the gateway has the provider's key itself: ${HOW_TO_CALL}`
      : `this gateway serves callers that show who they are: ${HOW_TO_CALL}`,
  };
};
