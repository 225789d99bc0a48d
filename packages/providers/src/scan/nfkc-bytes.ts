/**
 * Bytes of a body's text after Unicode NFKC, which some tokenizers apply first: one character can grow (U+FDFA, 3 bytes,
 * becomes 33), so that a token per byte would be no bound. Escapes are undone for it; all other JSON syntax stays, which
 * errs upwards. Asked only where the body is not plain ASCII.
 */
export const nfkcBytes = (body: Buffer): number => {
  const written = body.toString('utf8');
  const text = written.includes('\\u') ? written.replace(ESCAPE, unescape) : written;
  return Buffer.byteLength(text.normalize('NFKC'), 'utf8');
};

/** Pairs are taken together, so that the `u` of an escaped backslash is left alone. */
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|[^u])/gs;

const unescape = (whole: string, hex: string | undefined): string =>
  hex === undefined ? whole : String.fromCharCode(Number.parseInt(hex, 16));
