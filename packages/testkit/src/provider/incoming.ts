/** Reads one request to its end, with what the log wants to know of it. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly sha256: string;
  readonly headerNames: readonly string[];
}

/** Null when the caller left before its request was whole. */
export const readIncoming = async (request: IncomingMessage): Promise<Incoming | null> => {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
  } catch {
    return null;
  }
  const body = Buffer.concat(chunks);
  const written = request.url ?? '/';
  const question = written.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: question < 0 ? written : written.slice(0, question),
    query: new URLSearchParams(question < 0 ? '' : written.slice(question + 1)),
    body,
    sha256: createHash('sha256').update(body).digest('hex'),
    headerNames: request.rawHeaders.filter((_text, index) => index % 2 === 0).map((name) => name.toLowerCase()),
  };
};

const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'];

/** Whatever the caller showed as its key: for the provider that repeats it in an error. */
export const shownCredential = (headers: NodeJS.Dict<string | string[]>, query: URLSearchParams): string => {
  for (const name of CREDENTIAL_HEADERS) if (headers[name] !== undefined) return String(headers[name]);
  return query.get('key') ?? '(none)';
};
