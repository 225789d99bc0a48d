/**
 * The port's guard: what may speak to this port at all, and which requests are too ambiguous to be priced. The local
 * port spends money, so it is treated as a wallet (design §5): loopback `Host` only, nothing that a browser sends from
 * another site. Runs first, since nothing of an ambiguous request may be trusted.
 */
import type { IncomingMessage } from 'node:http';
import { refuse, type Refusal } from '../refusal.ts';
import type { Stage } from '../exchange.ts';

export interface GuardDeps {
  /** Host names (no port) that callers may use; null = any, for a gateway behind a Service. */
  readonly allowedHosts: ReadonlySet<string> | null;
}

export const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

const MAX_HEADERS = 100;
/** Headers that must not come twice: two readers could each take another one (reliability.md 4.3 rows 5, 7). */
const SINGLE = new Set([
  'host',
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'content-length',
  'content-type',
  'transfer-encoding',
  'content-encoding',
]);
/** `Connection:` may name these to be dropped, and nothing that decides who pays (row 10). */
const CONNECTION_TOKENS = new Set(['keep-alive', 'close', 'te', 'upgrade', '']);

export const guard = ({ allowedHosts }: GuardDeps): Stage =>
  function guard({ req }) {
    return badTarget(req) ?? badHeaders(req) ?? badOrigin(req, allowedHosts) ?? badFraming(req) ?? badType(req);
  };

const badTarget = ({ url = '', method = '' }: IncomingMessage): Refusal | undefined => {
  if (method === 'TRACE' || method === 'CONNECT') return refuse('method_not_allowed', `${method} is not served here`);
  if (!url.startsWith('/')) return refuse('bad_request', 'the request target must be a path, not a whole URL');
  return undefined;
};

const badHeaders = (req: IncomingMessage): Refusal | undefined => {
  const raw = req.rawHeaders;
  if (raw.length > 2 * MAX_HEADERS) return refuse('headers_too_large', `more than ${String(MAX_HEADERS)} headers`);
  let seen: Set<string> | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    if (!SINGLE.has(name)) continue;
    seen ??= new Set();
    if (seen.has(name)) return refuse('ambiguous_header', `header ${name} was sent twice`, { param: name });
    seen.add(name);
  }
  const connection = req.headers.connection;
  if (connection !== undefined && connection !== 'keep-alive') {
    for (const token of connection.toLowerCase().split(',')) {
      if (!CONNECTION_TOKENS.has(token.trim()))
        return refuse('bad_request', 'Connection names a header that must not be dropped', { param: 'connection' });
    }
  }
  return undefined;
};

const badOrigin = ({ headers }: IncomingMessage, allowedHosts: ReadonlySet<string> | null): Refusal | undefined => {
  if (allowedHosts === null) return undefined;
  const host = hostName(headers.host);
  if (host === null || !allowedHosts.has(host)) {
    return refuse(
      'forbidden_origin',
      `this port serves the local machine only; Host must be one of ${[...allowedHosts].join(', ')}`,
      { param: 'host' },
    );
  }
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' || site === 'same-site') {
    return refuse('forbidden_origin', 'a web page of another site may not call this port', { param: 'sec-fetch-site' });
  }
  const { origin } = headers;
  if (origin !== undefined && !isLocalOrigin(origin, allowedHosts)) {
    return refuse('forbidden_origin', 'a web page of another origin may not call this port', { param: 'origin' });
  }
  return undefined;
};

const badFraming = (req: IncomingMessage): Refusal | undefined => {
  if (req.httpVersionMinor === 0 && req.headers['transfer-encoding'] !== undefined) {
    return refuse('bad_request', 'HTTP/1.0 has no chunked encoding');
  }
  if (req.headers.expect !== undefined && req.headers.expect.toLowerCase() !== '100-continue') {
    return refuse('bad_request', 'Expect may only be 100-continue', { param: 'expect', status: 417 });
  }
  return undefined;
};

/** What a form of any web page can send without asking (Fetch standard, CORS-safelisted types), and no API wants. */
const FORM_TYPE = /^\s*(?:text\/plain|application\/x-www-form-urlencoded)\s*(?:;|$)/i;

const badType = ({ headers }: IncomingMessage): Refusal | undefined =>
  FORM_TYPE.test(headers['content-type'] ?? '')
    ? refuse('unsupported_media_type', 'send JSON (Content-Type: application/json) or multipart', {
        param: 'content-type',
      })
    : undefined;

/** `localhost:4100` → `localhost`; null where it is no host at all. */
const hostName = (host: string | undefined): string | null => {
  if (host === undefined) return null;
  const match = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::\d{1,5})?$/.exec(host);
  return match?.[1]?.toLowerCase() ?? null;
};

const isLocalOrigin = (origin: string, allowedHosts: ReadonlySet<string>): boolean => {
  const match = /^https?:\/\/([^/]+)$/.exec(origin);
  const host = hostName(match?.[1]);
  return host !== null && allowedHosts.has(host);
};
