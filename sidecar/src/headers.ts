/**
 * Which headers cross the proxy. Requests: all but hop-by-hop ones, forwarding claims, Tollgate's own names and names
 * that servers confuse with others (underscores, reliability.md 4.3 row 8). Answers: all but hop-by-hop ones, cookies
 * and Tollgate's own names, so that only the proxy can speak under `x-tollgate-`.
 */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

const REQUEST_DROPPED = new Set([
  ...HOP_BY_HOP,
  'host',
  'content-length',
  'expect',
  'cookie',
  // Replaced: answers are read as they pass.
  'accept-encoding',
  'forwarded',
  'via',
  'x-real-ip',
  'x-original-url',
  'x-original-host',
  'x-rewrite-url',
  'x-http-method-override',
  'x-method-override',
  'sec-fetch-site',
  'sec-fetch-mode',
  'sec-fetch-dest',
]);
const REQUEST_DROPPED_PREFIXES = ['x-tollgate-', 'x-forwarded-', 'x-portkey-'];

/** Each provider's own way to say who pays. */
export const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
]);

const ANSWER_DROPPED = new Set([...HOP_BY_HOP, 'set-cookie', 'set-cookie2', 'alt-svc', 'content-length']);

/** A flat list of names and values. `credential` replaces whatever the caller sent; without one `dropsCredentials` drops that all the same. */
export const requestHeaders = (
  raw: readonly string[],
  credential: { readonly name: string; readonly value: string } | null,
  dropsCredentials = false,
): string[] => {
  const drops = dropsCredentials || credential !== null;
  const out: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const written = raw[i] as string;
    const name = written.toLowerCase();
    if (REQUEST_DROPPED.has(name) || name.includes('_')) continue;
    if (name.charCodeAt(0) === 120 && REQUEST_DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    if (drops && CREDENTIAL_HEADERS.has(name)) continue;
    out.push(written, raw[i + 1] as string);
  }
  if (credential !== null) out.push(credential.name, credential.value);
  // Said, since silence means that any encoding will do (RFC 9110, 12.5.3).
  out.push('accept-encoding', 'identity');
  return out;
};

/** Flat lists of names and values, as the provider sent them and as `writeHead` takes them. */
export const answerHeaders = (raw: readonly string[]): string[] => {
  const out: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const written = raw[i] as string;
    const name = written.toLowerCase();
    if (ANSWER_DROPPED.has(name) || name.startsWith('x-tollgate-')) continue;
    out.push(written, raw[i + 1] as string);
  }
  return out;
};
