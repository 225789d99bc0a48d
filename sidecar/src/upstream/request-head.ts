/** The head of a request as it goes out. Names and values come checked from a caller's parser, or from a secret that nobody checked. */
import type { UpstreamRequest } from './upstream-call.ts';

export interface HeadFacts {
  /** Before each path: an origin where a proxy is spoken to, else nothing. */
  readonly targetPrefix: string;
  readonly host: string;
  readonly proxyAuthorization: string | null;
}

// What would end a line, or is no byte at all (RFC 9110, 5.5).

const NOT_IN_LINE = /[^\t\x20-\x7e\x80-\xff]/;
const NOT_IN_TARGET = /[^\x21-\x7e\x80-\xff]/;

/** Null where it cannot be written: a value that would begin a line of its own. One character a byte. */
export const headWriter = ({ targetPrefix, host, proxyAuthorization }: HeadFacts) => {
  const credential = proxyAuthorization === null ? '' : `proxy-authorization: ${proxyAuthorization}\r\n`;
  const fixed = ` HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${credential}`;
  return ({
    method,
    path,
    headers,
    body,
  }: Pick<UpstreamRequest, 'method' | 'path' | 'headers' | 'body'>): string | null => {
    if (NOT_IN_TARGET.test(path)) return null;
    let head = `${method} ${targetPrefix}${path}${fixed}`;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const line = `${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`;
      if (NOT_IN_LINE.test(line)) return null;
      head += line + LINE_END;
    }
    let length = 0;
    for (const piece of body) length += piece.length;
    // A method that usually has a body says that it has none.
    return length === 0 && BODYLESS.has(method) ? head + LINE_END : `${head}content-length: ${String(length)}\r\n\r\n`;
  };
};

const LINE_END = '\r\n';
const BODYLESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE']);
