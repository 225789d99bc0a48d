import { foldHash, type KeyTable } from './key-table.ts';
import { ScanFault } from './scan-fault.ts';

export interface ScanRules {
  /** Refuse a key that occurs twice, differs from a known one in case only, or names a prototype. */
  readonly strictKeys: boolean;
  readonly maxDepth: number;
  /**
   * Bounds the time that one body can take: bytes that had to be looked at one by one, and 32 for every member and element.
   * Long plain strings cost next to nothing.
   */
  readonly maxEffort: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
/** Beyond this many bytes a native search for the closing quote beats looking at each byte (a call costs about 20 ns). */
const NEAR = 32;
const VALUE_EFFORT = 32;
/** Runs of one sort of byte are counted by so many (a power of two), so that none is crossed to its end before it counts. */
const STEP = 1 << 14;
/** No request format has an object of so many interpreted keys; keeps the comparison of each with all others cheap. */
const MAX_KEYS = 128;

const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export type ValueKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null' | 'none';

/**
 * A pull reader of JSON bytes: the caller opens objects and arrays where it wants to look and skips the rest, which is
 * checked for structure but never decoded. Keys are compared unescaped. What is inside a skipped string is its reader's
 * affair (a raw control character or an unknown escape cannot move the closing quote), so long strings are crossed by a
 * native search.
 */
export class JsonScanner<Name extends string> {
  bytes: Buffer;
  pos: number;
  end: number;
  /** Bytes between the quotes of all string values skipped so far (as written, so at least as many as they stand for). */
  textBytes = 0;
  /** Where the key read last begins, at its quote. */
  keyStart = 0;
  private readonly keys: KeyTable<Name>;
  private readonly rules: ScanRules;
  private depth = 0;
  private effort = 0;
  /** Keys seen in the objects that are open, innermost last; `bases[depth]` is where that object's begin. */
  private seen = 0;
  private readonly seenHash: number[] = [];
  private readonly seenAt: number[] = [];
  private readonly seenName: string[] = [];
  private readonly bases: number[] = [];

  constructor(bytes: Buffer, keys: KeyTable<Name>, rules: ScanRules) {
    this.bytes = bytes;
    this.pos = 0;
    this.end = bytes.length;
    this.keys = keys;
    this.rules = rules;
  }

  /** Starts over on a part of some bytes. */
  reset(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
    this.textBytes = 0;
    this.depth = 0;
    this.effort = 0;
    this.seen = 0;
  }

  /** The kind of the value that comes next; 'none' where no value can begin. */
  peek(): ValueKind {
    this.pos = this.space(this.pos);
    const byte = this.pos < this.end ? (this.bytes[this.pos] ?? 0) : 0;
    if (byte === QUOTE) return 'string';
    if (byte === OPEN_BRACE) return 'object';
    if (byte === OPEN_BRACKET) return 'array';
    if (byte === 0x74) return 'true';
    if (byte === 0x66) return 'false';
    if (byte === 0x6e) return 'null';
    return byte === 0x2d || isDigit(byte) ? 'number' : 'none';
  }

  /** Is the object or array that comes next empty? Does not move. */
  isEmptyNext(): boolean {
    const inside = this.space(this.space(this.pos) + 1);
    const byte = inside < this.end ? this.bytes[inside] : 0;
    return byte === CLOSE_BRACE || byte === CLOSE_BRACKET;
  }

  /** Steps into an object; false where it is empty (and then already left). */
  openObject(): boolean {
    this.open(OPEN_BRACE);
    this.bases[this.depth] = this.seen;
    return this.isNotEmpty(CLOSE_BRACE);
  }

  openArray(): boolean {
    this.open(OPEN_BRACKET);
    this.bases[this.depth] = this.seen;
    return this.isNotEmpty(CLOSE_BRACKET);
  }

  /** After a member's value: is there another? False = the object is closed. */
  anotherMember(): boolean {
    return this.another(CLOSE_BRACE);
  }

  anotherElement(): boolean {
    return this.another(CLOSE_BRACKET);
  }

  /** Reads a key and its colon; '' where the table does not know it. The value comes next. */
  key(): Name | '' {
    const bytes = this.bytes;
    const end = this.end;
    let i = this.space(this.pos);
    if (i >= end || bytes[i] !== QUOTE) throw this.broken(i);
    this.keyStart = i;
    const start = (i += 1);
    let hash = 0;
    let escaped = false;
    for (; ; i += 1) {
      if (i >= end) throw this.broken(i);
      const byte = bytes[i] ?? 0;
      if (byte === QUOTE) break;
      if (byte < 0x20) throw this.broken(i);
      if (byte === BACKSLASH) {
        escaped = true;
        i += 1;
      }
      hash = foldHash(hash, byte);
      if ((i & (STEP - 1)) === 0) this.spend(STEP);
    }
    this.pos = i + 1;
    const name = escaped ? this.escapedKey(start, i) : this.plainKey(bytes, start, i, hash);
    const colon = this.space(this.pos);
    if (colon >= end || bytes[colon] !== COLON) throw this.broken(colon);
    this.pos = this.space(colon + 1);
    return name;
  }

  /** Passes over one value, whatever it is. */
  skip(): void {
    this.pos = this.skipFrom(this.space(this.pos), this.depth);
  }

  /** Passes over a string and says where its inside ends; it begins one byte after the `pos` before the call. */
  skipString(): number {
    const close = this.closingQuote(this.pos + 1);
    this.textBytes += close - this.pos - 1;
    this.pos = close + 1;
    return close;
  }

  /** The string that comes next, unescaped; null where it is longer than `maxBytes` as written. */
  text(maxBytes: number): string | null {
    const start = this.pos + 1;
    const close = this.skipString();
    return close - start > maxBytes ? null : this.unescape(start, close);
  }

  /** The bytes of the value that comes next, as they stand. */
  raw(): string {
    const start = this.space(this.pos);
    this.skip();
    return this.bytes.toString('latin1', start, this.pos);
  }

  /** After the outermost value: nothing but space may follow. */
  finish(): void {
    const at = this.space(this.pos);
    if (at !== this.end) throw this.broken(at);
  }

  private open(byte: number): void {
    const at = this.space(this.pos);
    if (at >= this.end || this.bytes[at] !== byte) throw this.broken(at);
    this.depth += 1;
    if (this.depth > this.rules.maxDepth) throw this.tooDeep();
    this.pos = at + 1;
  }

  private isNotEmpty(close: number): boolean {
    const at = this.space(this.pos);
    if (at < this.end && this.bytes[at] === close) {
      this.pos = at + 1;
      this.depth -= 1;
      return false;
    }
    this.count();
    this.pos = at;
    return true;
  }

  private another(close: number): boolean {
    const at = this.space(this.pos);
    const byte = at < this.end ? this.bytes[at] : 0;
    this.pos = at + 1;
    if (byte === COMMA) {
      this.count();
      this.pos = this.space(at + 1);
      return true;
    }
    if (byte !== close) throw this.broken(at);
    this.seen = this.bases[this.depth] ?? 0;
    this.depth -= 1;
    return false;
  }

  private count(): void {
    this.spend(VALUE_EFFORT);
  }

  private spend(effort: number): void {
    this.effort += effort;
    if (this.effort > this.rules.maxEffort)
      throw new ScanFault('too_complex', 'the body has more values or escapes than are read in one call', null, 413);
  }

  private plainKey(bytes: Uint8Array, start: number, end: number, hash: number): Name | '' {
    const name = this.keys.find(bytes, start, end, hash);
    if (!this.rules.strictKeys) return name ?? '';
    if (name === '' && end - start >= 9 && PROTOTYPE_KEYS.has(this.unescape(start, end))) throw this.prototypeKey();
    return this.checked(name, hash);
  }

  private escapedKey(start: number, end: number): Name | '' {
    const text = Buffer.from(this.unescape(start, end));
    let hash = 0;
    for (const byte of text) hash = foldHash(hash, byte);
    const name = this.keys.find(text, 0, text.length, hash);
    if (!this.rules.strictKeys) return name ?? '';
    if (name === '' && PROTOTYPE_KEYS.has(text.toString())) throw this.prototypeKey();
    return this.checked(name, hash);
  }

  /** Known names are compared as such, so that two spellings of one (an alias) count as twice the same. */
  private checked(name: Name | '' | null, hash: number): Name | '' {
    if (name === null)
      throw new ScanFault('ambiguous_key', `the key ${this.shown()} differs from a known one in letter case only`);
    const base = this.bases[this.depth] ?? 0;
    if (this.seen - base > NEAR) this.spend(this.seen - base);
    for (let i = base; i < this.seen; i += 1) {
      const same =
        name === ''
          ? this.seenHash[i] === hash && this.keyAt(this.seenAt[i] ?? 0) === this.keyAt(this.keyStart)
          : this.seenName[i] === name;
      if (same) throw new ScanFault('duplicate_key', `the key ${this.shown()} occurs twice in one object`);
    }
    if (this.seen - base >= MAX_KEYS)
      throw new ScanFault('too_many_keys', `more than ${String(MAX_KEYS)} keys in one object`);
    this.seenHash[this.seen] = hash;
    this.seenAt[this.seen] = this.keyStart;
    this.seenName[this.seen] = name;
    this.seen += 1;
    return name;
  }

  private keyAt(start: number): string {
    return this.unescape(start + 1, this.closingQuote(start + 1));
  }

  private shown(): string {
    return JSON.stringify(this.keyAt(this.keyStart).slice(0, 64));
  }

  private unescape(start: number, end: number): string {
    const text = this.bytes.toString('utf8', start, end);
    if (!text.includes('\\')) return text;
    try {
      return String(JSON.parse(`"${text}"`));
    } catch {
      throw this.broken(start);
    }
  }

  private skipFrom(at: number, depth: number): number {
    if (at >= this.end) throw this.broken(at);
    const byte = this.bytes[at] ?? 0;
    if (byte === QUOTE) {
      const close = this.closingQuote(at + 1);
      this.textBytes += close - at - 1;
      return close + 1;
    }
    if (byte === OPEN_BRACE) return this.skipObject(at + 1, depth + 1);
    if (byte === OPEN_BRACKET) return this.skipArray(at + 1, depth + 1);
    if (byte === 0x2d || isDigit(byte)) return this.skipNumber(at);
    if (byte === 0x74) return this.skipWord(at, 'true');
    if (byte === 0x66) return this.skipWord(at, 'false');
    if (byte === 0x6e) return this.skipWord(at, 'null');
    throw this.broken(at);
  }

  private skipObject(from: number, depth: number): number {
    if (depth > this.rules.maxDepth) throw this.tooDeep();
    const bytes = this.bytes;
    const end = this.end;
    let i = this.space(from);
    if (i < end && bytes[i] === CLOSE_BRACE) return i + 1;
    for (;;) {
      this.count();
      if (i >= end || bytes[i] !== QUOTE) throw this.broken(i);
      i = this.space(this.closingQuote(i + 1) + 1);
      if (i >= end || bytes[i] !== COLON) throw this.broken(i);
      i = this.space(this.skipFrom(this.space(i + 1), depth));
      const byte = i < end ? bytes[i] : 0;
      if (byte === CLOSE_BRACE) return i + 1;
      if (byte !== COMMA) throw this.broken(i);
      i = this.space(i + 1);
    }
  }

  private skipArray(from: number, depth: number): number {
    if (depth > this.rules.maxDepth) throw this.tooDeep();
    const bytes = this.bytes;
    const end = this.end;
    let i = this.space(from);
    if (i < end && bytes[i] === CLOSE_BRACKET) return i + 1;
    for (;;) {
      this.count();
      i = this.space(this.skipFrom(i, depth));
      const byte = i < end ? bytes[i] : 0;
      if (byte === CLOSE_BRACKET) return i + 1;
      if (byte !== COMMA) throw this.broken(i);
      i = this.space(i + 1);
    }
  }

  private skipNumber(at: number): number {
    const bytes = this.bytes;
    const whole = bytes[at] === 0x2d ? at + 1 : at;
    let i = this.digits(whole);
    if (bytes[whole] === 0x30 && i > whole + 1) throw this.broken(whole);
    const next = i < this.end ? (bytes[i] ?? 0) : 0;
    if (next !== 0x2e && (next | 0x20) !== 0x65) return i;
    if (next === 0x2e) i = this.digits(i + 1);
    if (i < this.end && ((bytes[i] ?? 0) | 0x20) === 0x65) {
      const sign = i + 1 < this.end ? bytes[i + 1] : 0;
      i = this.digits(sign === 0x2b || sign === 0x2d ? i + 2 : i + 1);
    }
    return i;
  }

  /** At least one digit. */
  private digits(from: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let i = from;
    while (i < end && isDigit(bytes[i] ?? 0)) {
      i += 1;
      if ((i & (STEP - 1)) === 0) this.spend(STEP);
    }
    if (i === from) throw this.broken(i);
    return i;
  }

  private skipWord(at: number, word: 'true' | 'false' | 'null'): number {
    if (at + word.length > this.end) throw this.broken(this.end);
    for (let i = 1; i < word.length; i += 1) if (this.bytes[at + i] !== word.charCodeAt(i)) throw this.broken(at);
    return at + word.length;
  }

  /** The first byte at or after `from` that is no white space. */
  private space(from: number): number {
    return (this.bytes[from] ?? 0) > 0x20 ? from : this.moreSpace(from);
  }

  private moreSpace(from: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let i = from;
    while (i < end) {
      const byte = bytes[i];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      i += 1;
      if ((i & (STEP - 1)) === 0) this.spend(STEP);
    }
    return i;
  }

  private closingQuote(from: number): number {
    const bytes = this.bytes;
    const end = this.end;
    let i = from;
    // Where quotes are dense (code, JSON in JSON) the native search gains little a call, so each further stretch is longer.
    for (let stretch = NEAR; ; stretch = stretch < STEP ? stretch * 4 : STEP) {
      const begin = i;
      const near = i + stretch < end ? i + stretch : end;
      while (i < near && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
      if (stretch > NEAR) this.spend(i - begin);
      if (i < near) return i;
      const quote = i < end ? bytes.indexOf(QUOTE, i) : -1;
      if (quote < 0 || quote >= end) throw this.broken(end);
      if (!this.isEscaped(quote)) return quote;
      i = quote + 1;
    }
  }

  /** An odd run of backslashes before it escapes a quote; a run never reaches back past an unescaped character. */
  private isEscaped(quote: number): boolean {
    const bytes = this.bytes;
    let i = quote - 1;
    while (bytes[i] === BACKSLASH) {
      i -= 1;
      if ((i & (STEP - 1)) === 0) this.spend(STEP);
    }
    return (quote - 1 - i) % 2 === 1;
  }

  private broken(at: number): ScanFault {
    const where = at >= this.end ? 'the body ends too early' : `unexpected byte at offset ${String(at)}`;
    return new ScanFault('invalid_json', `the body is not valid JSON: ${where}`);
  }

  private tooDeep(): ScanFault {
    return new ScanFault('too_deep', `the body is nested deeper than ${String(this.rules.maxDepth)} levels`);
  }

  private prototypeKey(): ScanFault {
    return new ScanFault('forbidden_key', `the key ${this.shown()} is not allowed`);
  }
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
