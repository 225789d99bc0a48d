import { NFKC_WORST_FACTOR } from './bound.ts';

/** Above this a body is not normalised, only looked through: 32 MiB of U+FDFA would stall a process for a second. */
const EXACT_LIMIT_BYTES = 1_048_576;

/**
 * Bytes of a whole body after NFKC, with JSON escapes read, or the bytes as they are if more: what a tokenizer that
 * normalises first may see. 1 MiB of Chinese takes 2 ms, of U+FDFA 40 ms; beyond, the worst factor stands for every byte
 * and escape that is not plain ASCII (1 ms a MiB).
 */
export const nfkcBytes = (body: Uint8Array): number => {
  if (body.byteLength > EXACT_LIMIT_BYTES) return worstBytes(body);
  const text = unescapeJson(new TextDecoder().decode(body));
  return Math.max(body.byteLength, utf8Bytes(text), utf8Bytes(text.normalize('NFKC')));
};

/** An escape has six bytes and stands for at most three, which may become 33. */
const ESCAPE_GROWTH = 3 * NFKC_WORST_FACTOR - 6;

const worstBytes = (body: Uint8Array): number => {
  let beyondAscii = 0;
  let escapes = 0;
  for (let at = 0; at < body.byteLength; at += 1) {
    const byte = body[at] ?? 0;
    if (byte >= 0x80) beyondAscii += 1;
    else if (byte === 0x5c && body[at + 1] === 0x75) escapes += 1;
  }
  return body.byteLength + beyondAscii * (NFKC_WORST_FACTOR - 1) + escapes * ESCAPE_GROWTH;
};

/** Only `\uXXXX`; a backslash and its next character are taken together, so that `\\u0041` stays text. */
const unescapeJson = (text: string): string =>
  text.includes('\\u')
    ? text.replace(/\\(?:u([0-9a-fA-F]{4})|[^u])/g, (pair: string, hex: string | undefined) =>
        hex === undefined ? pair : String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : text;

const utf8Bytes = (text: string): number => new TextEncoder().encode(text).byteLength;
