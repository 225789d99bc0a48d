/**
 * What a body is written in: 'ascii' = neither a byte nor a `\u` escape beyond ASCII, so that a token takes at least one
 * byte; 'utf8' = well-formed (no stray continuation, overlong form or surrogate); 'invalid' = neither, or a byte order mark.
 * 64 KiB are looked at at a time, by native code: no copy of the whole is held.
 */
export type TextKind = 'ascii' | 'utf8' | 'invalid';

const WINDOW = 1 << 16;
const BACKSLASH = 0x5c;
/** An escaped backslash before `u` may be taken for such an escape: that errs upwards. */
const WIDE_ESCAPE = /\\u(?!00[0-7])[0-9a-fA-F]{4}/;
/** Windows with escapes that are looked at for wide ones; where a body has more, it counts as having some: errs upwards. */
const MAX_TESTED = 128;
/** One byte less than an escape: what a cut may leave of one. */
const OVERLAP = 5;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const textKind = (bytes: Buffer): TextKind => {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'invalid';
  let kind: TextKind = 'ascii';
  let tail = '';
  let tested = 0;
  let slash = bytes.indexOf(BACKSLASH);
  for (let at = 0; at < bytes.length;) {
    const end = characterStart(bytes, at + WINDOW);
    const text = decode(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (text === null) return 'invalid';
    if (text.length !== end - at) kind = 'utf8';
    if (slash >= 0 && slash < end && kind === 'ascii') {
      tested += 1;
      if (tested > MAX_TESTED || WIDE_ESCAPE.test(tail + text)) kind = 'utf8';
      slash = bytes.indexOf(BACKSLASH, Math.max(at, end - OVERLAP));
      tail = text.slice(-OVERLAP);
    } else tail = '';
    at = end;
  }
  return kind;
};

const decode = (bytes: Buffer): string | null => {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
};

/** The last place at or before `at` where a character begins: at most 3 bytes back, or the text is not well-formed. */
const characterStart = (bytes: Buffer, at: number): number => {
  if (at >= bytes.length) return bytes.length;
  let i = at;
  while (i > at - 3 && ((bytes[i] ?? 0) & 0xc0) === 0x80) i -= 1;
  return i;
};
