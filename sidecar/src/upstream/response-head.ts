/**
 * The head of an HTTP/1.1 answer (RFC 9112, sections 4 and 5), read strictly: what two readers could take in two ways is a
 * fault. A provider that frames its answers loosely does not exist among those that are billed by token.
 */
import { UpstreamFault } from './upstream-fault.ts';

export interface ResponseHead {
  readonly status: number;
  /** Flat list of names and values, as they were sent. */
  readonly headers: readonly string[];
  /** Null where there is none. Lists (a name sent twice) are joined by commas. */
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  /** Bytes, as announced. */
  readonly contentLength: number | null;
  readonly isChunked: boolean;
  /** The connection may carry another call after this answer. */
  readonly keepsAlive: boolean;
  /** Seconds that the provider says it keeps an idle connection. */
  readonly keepAliveSeconds: number | null;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// A header's value may hold nothing else (RFC 9110, 5.5).

const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const DIGITS = /^\d{1,15}$/;

const LINE_END = '\r\n';

/** `text`: all before the blank line, each byte one character. */
export const readHead = (text: string): ResponseHead => {
  const firstEnd = endOf(text, 0);
  const [, minor, status] = STATUS_LINE.exec(text.slice(0, firstEnd)) ?? [];
  if (minor === undefined || status === undefined) throw invalid('the status line');
  const headers: string[] = [];
  let contentType: string | null = null;
  let contentEncoding: string | null = null;
  let contentLength: number | null = null;
  let coding: string | null = null;
  let connection = '';
  let keepAliveSeconds: number | null = null;
  for (let at = firstEnd + 2; at < text.length;) {
    const end = endOf(text, at);
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > end) throw invalid('a header without a colon');
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, end);
    at = end + 2;
    if (!NAME.test(name) || NOT_IN_VALUE.test(value)) throw invalid('a header');
    headers.push(name, value);
    // By length first, since most are none of these.
    switch (name.length) {
      case 10: {
        const lower = name.toLowerCase();
        if (lower === 'connection') connection += `,${value.toLowerCase()}`;
        else if (lower === 'keep-alive') keepAliveSeconds = Number(/timeout=(\d{1,6})/i.exec(value)?.[1] ?? NaN);
        break;
      }
      case 12:
        if (name.toLowerCase() === 'content-type') contentType = joined(contentType, value);
        break;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (contentLength !== null || !DIGITS.test(value) || !isPlain(text, colon, end, value))
          throw invalid('the length');
        contentLength = Number(value);
        break;
      case 16:
        if (name.toLowerCase() === 'content-encoding') contentEncoding = joined(contentEncoding, value);
        break;
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break;
        if (!isPlain(text, colon, end, value)) throw invalid('the framing');
        coding = joined(coding, value);
        break;
      default:
    }
  }
  if (coding !== null) {
    // An encoding that we did not ask for, or a length beside it: where the answer ends would be a guess.
    if (coding.toLowerCase() !== 'chunked' || contentLength !== null || minor === '0') throw invalid('the framing');
  }
  return {
    status: Number(status),
    headers,
    contentType,
    contentEncoding,
    contentLength,
    isChunked: coding !== null,
    keepsAlive: connection === '' ? minor === '1' : isKept(connection, minor),
    keepAliveSeconds: Number.isNaN(keepAliveSeconds) ? null : keepAliveSeconds,
  };
};

/** Trailers are checked like headers, and then forgotten. */
export const checkTrailers = (text: string): void => {
  for (let at = 0; at < text.length;) {
    const end = endOf(text, at);
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > end || !NAME.test(text.slice(at, colon)) || NOT_IN_VALUE.test(text.slice(colon + 1, end)))
      throw invalid('a trailer');
    at = end + 2;
  }
};

const endOf = (text: string, from: number): number => {
  const end = text.indexOf(LINE_END, from);
  return end < 0 ? text.length : end;
};

const trimmed = (text: string, from: number, to: number): string => {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
};

/** Written as everybody does, with one space or none before it: parsers differ in what they trim of the framing. */
const isPlain = (text: string, colon: number, end: number, { length }: string): boolean =>
  end - colon - 1 === length || (end - colon - 2 === length && text.charCodeAt(colon + 1) === 0x20);

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

const joined = (before: string | null, value: string): string => (before === null ? value : `${before}, ${value}`);

const isKept = (connection: string, minor: string): boolean => {
  const tokens = connection.split(',').map((token) => token.trim());
  return !tokens.includes('close') && (minor === '1' || tokens.includes('keep-alive'));
};

export const invalid = (what: string): UpstreamFault =>
  new UpstreamFault('invalid', `${what} of the provider's answer is not valid HTTP/1.1`);
