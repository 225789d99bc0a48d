/**
 * Reads the answers of one connection from its bytes, wherever a piece may end: head, then a body by length, in chunks or
 * to the end of the connection (RFC 9112, sections 6 and 7). Keeps nothing of a body. Any doubt is a fault.
 */
import { checkTrailers, invalid, readHead, type ResponseHead } from './response-head.ts';

export interface ResponseEvents {
  /** Once for each informational answer, and once for the answer itself. */
  onHead(head: ResponseHead): void;
  /** The bytes are good until it returns: they stand in memory that the next read takes. */
  onBody(bytes: Buffer): void;
  onEnd(): void;
}

type State =
  | 'idle'
  | 'head'
  | 'length'
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer'
  | 'eof'
  | 'stopped';

/** Bytes of a head, of a chunk's extensions, of trailers: Node's own limit for headers. */
const MOST_HEAD = 16 * 1024;
/** Hexadecimal digits of a chunk's length: 2^52, far beyond any answer. */
const MOST_DIGITS = 13;
/** What a chunk may say beside its length (RFC 9112, 7.1.1), but for quoted words: nobody does. */
const EXTENSION = /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)+$/;
const MOST_EXTENSION = 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const VERSION = Buffer.from('HTTP/1.');
const CR = 0x0d;
const LF = 0x0a;

export class ResponseParser {
  readonly #events: ResponseEvents;
  #state: State = 'idle';
  #isBodyless = false;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left = 0;
  #digits = 0;
  /** A head or trailers that did not come in one piece. */
  #held: Buffer | null = null;
  #extension = '';

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** Between two answers: whatever comes now was not asked for. */
  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  /** A request is on its way. `isBodyless`: its answer has no body, whatever its head says (HEAD, CONNECT). */
  begin(isBodyless: boolean): void {
    this.#state = 'head';
    this.#isBodyless = isBodyless;
    this.#held = null;
  }

  /** Nothing more is wanted: what is left of the bytes at hand is passed over. */
  stop(): void {
    this.#state = 'stopped';
  }

  /** Throws an `UpstreamFault` of kind `invalid`. Bytes behind the end of an answer are one, too. */
  push(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      switch (this.#state) {
        case 'stopped':
          return;
        case 'idle':
          throw invalid('something beyond the end');
        case 'head':
          at = this.#head(bytes, at, length);
          break;
        case 'length': {
          const end = Math.min(length, at + this.#left);
          this.#left -= end - at;
          this.#events.onBody(bytes.subarray(at, end));
          at = end;
          if (this.#left === 0 && this.#is('length')) this.#end();
          break;
        }
        case 'eof':
          this.#events.onBody(bytes.subarray(at, length));
          return;
        case 'data': {
          const end = Math.min(length, at + this.#left);
          this.#left -= end - at;
          this.#events.onBody(bytes.subarray(at, end));
          at = end;
          if (this.#left === 0 && this.#is('data')) this.#state = 'data-cr';
          break;
        }
        case 'trailer':
          at = this.#trailer(bytes, at, length);
          break;
        default:
          this.#frame(bytes[at] ?? 0);
          at += 1;
      }
    }
  }

  /** The connection has ended. False where the answer had not. */
  finish(): boolean {
    if (this.#state === 'eof') {
      this.#end();
      return true;
    }
    return this.#state === 'idle' || this.#state === 'stopped';
  }

  /** For after a call out, which may have stopped it. */
  #is(state: State): boolean {
    return this.#state === state;
  }

  #head(bytes: Buffer, at: number, length: number): number {
    const found = this.#until(bytes, at, length);
    if (found === null) return length;
    const head = readHead(found.text);
    const { status } = head;
    if (status === 101) throw invalid('an upgrade that was not asked for');
    if (status < 200) {
      // HTTP/1.0 has none (RFC 9110, 15.2), and one that ends the connection announces nothing.
      if (!head.keepsAlive) throw invalid('an informational answer');
      this.#events.onHead(head);
      return found.next;
    }
    const hasNoBody = this.#isBodyless || status === 204 || status === 304;
    const left = hasNoBody ? 0 : (head.contentLength ?? -1);
    this.#left = left;
    this.#state = !hasNoBody && head.isChunked ? 'size' : left < 0 ? 'eof' : 'length';
    this.#digits = 0;
    this.#events.onHead(head);
    if (left === 0 && this.#is('length')) this.#end();
    return found.next;
  }

  /** Up to the blank line; null (and kept) where it has not come yet. */
  #until(bytes: Buffer, at: number, length: number): { readonly text: string; readonly next: number } | null {
    const held = this.#held;
    if (held === null) {
      const end = bytes.indexOf(HEAD_END, at);
      if (end >= 0 && end < length - 3) {
        if (end - at > MOST_HEAD) throw invalid('the size of the head');
        return { text: bytes.toString('latin1', at, end), next: end + 4 };
      }
      this.#holdHead(bytes.subarray(at, length));
      return null;
    }
    const before = held.length;
    // The blank line may have begun in what came before.
    const all = Buffer.concat([held, bytes.subarray(at, length)]);
    const end = all.indexOf(HEAD_END, Math.max(0, before - 3));
    if (end < 0) {
      this.#holdHead(all);
      return null;
    }
    if (end > MOST_HEAD) throw invalid('the size of the head');
    this.#held = null;
    return { text: all.toString('latin1', 0, end), next: at + end + 4 - before };
  }

  /** What is no answer at all is told by its first bytes: a blank line may never come. */
  #holdHead(bytes: Buffer): void {
    const known = Math.min(bytes.length, VERSION.length);
    if (bytes.compare(VERSION, 0, known, 0, known) !== 0) throw invalid('the status line');
    this.#hold(bytes);
  }

  #hold(bytes: Buffer): void {
    if (bytes.length > MOST_HEAD + 3) throw invalid('the size of the head');
    this.#held = Buffer.from(bytes);
  }

  /** One byte between the pieces of a chunked body. */
  #frame(byte: number): void {
    switch (this.#state) {
      case 'size': {
        const digit = hexOf(byte);
        if (digit >= 0) {
          this.#left = (this.#digits === 0 ? 0 : this.#left) * 16 + digit;
          this.#digits += 1;
          if (this.#digits > MOST_DIGITS) throw invalid('the length of a chunk');
          return;
        }
        if (this.#digits === 0) throw invalid('the length of a chunk');
        if (byte === CR) this.#state = 'size-lf';
        else if (byte === 0x3b) {
          this.#state = 'extension';
          this.#extension = ';';
        } else throw invalid('the length of a chunk');
        return;
      }
      case 'extension':
        if (byte === CR) {
          if (!EXTENSION.test(this.#extension)) throw invalid('a chunk');
          this.#state = 'size-lf';
        } else if (this.#extension.length >= MOST_EXTENSION) throw invalid('a chunk');
        else this.#extension += String.fromCharCode(byte);
        return;
      case 'size-lf':
        if (byte !== LF) throw invalid('a chunk');
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        this.#digits = 0;
        return;
      case 'data-cr':
        if (byte !== CR) throw invalid('a chunk');
        this.#state = 'data-lf';
        return;
      case 'data-lf':
        if (byte !== LF) throw invalid('a chunk');
        this.#state = 'size';
        return;
      default:
        throw new TypeError(`no frame in state ${this.#state}`);
    }
  }

  /** A blank line at once in nearly every answer. */
  #trailer(bytes: Buffer, at: number, length: number): number {
    if (this.#held === null && bytes[at] === CR && at + 1 < length) {
      if (bytes[at + 1] !== LF) throw invalid('a trailer');
      this.#end();
      return at + 2;
    }
    const held = this.#held;
    const before = held === null ? 0 : held.length;
    const all = held === null ? bytes.subarray(at, length) : Buffer.concat([held, bytes.subarray(at, length)]);
    if (all.length > 1 && all[0] === CR && all[1] === LF) {
      this.#held = null;
      this.#end();
      return at + 2 - before;
    }
    const end = all.indexOf(HEAD_END, Math.max(0, before - 3));
    if (end < 0) {
      this.#hold(all);
      return length;
    }
    if (end > MOST_HEAD) throw invalid('the size of the trailers');
    checkTrailers(all.toString('latin1', 0, end));
    this.#held = null;
    this.#end();
    return at + end + 4 - before;
  }

  #end(): void {
    this.#state = 'idle';
    this.#events.onEnd();
  }
}

const hexOf = (byte: number): number => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
};
