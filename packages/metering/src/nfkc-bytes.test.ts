import { describe, expect, it } from '@jest/globals';
import { NFKC_WORST_FACTOR, bound, charge, nfkcBytes } from '@tollgate/metering';
import fc from 'fast-check';
import { aRow } from './testing/price-rows.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text);

describe('bytes after NFKC', () => {
  it('no code point grows by more than the worst factor', () => {
    let worst = 0;
    for (let code = 0; code <= 0x10ffff; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const char = String.fromCodePoint(code);
      worst = Math.max(
        worst,
        bytesOf(char.normalize('NFKC')) / bytesOf(char),
        bytesOf(char.normalize('NFKD')) / bytesOf(char),
      );
    }
    expect(worst).toBe(NFKC_WORST_FACTOR);
  });

  it('no text grows by more than the worst factor', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const body = Buffer.from(text);
        const bytes = nfkcBytes(body);
        expect(bytes).toBeLessThanOrEqual(body.length * NFKC_WORST_FACTOR);
        expect(bytes).toBeGreaterThanOrEqual(Math.max(body.length, bytesOf(body.toString().normalize('NFKC'))));
      }),
    );
  });

  it('reads JSON escapes, and leaves escaped backslashes alone', () => {
    expect(nfkcBytes(Buffer.from(JSON.stringify('\ufdfa'.repeat(100))))).toBe(3302);
    expect(nfkcBytes(Buffer.from(`"${'\\ufdfa'.repeat(100)}"`))).toBe(3302);
    expect(nfkcBytes(Buffer.from('\\\\ufdfa'))).toBe(7);
    expect(nfkcBytes(Buffer.from('\\ud83d\\ude00'))).toBe(12);
  });

  it('of a body too large to normalise in a moment takes the worst factor for what is not ASCII', () => {
    const large = 'a'.repeat(1_048_576);
    expect(nfkcBytes(Buffer.from(large + 'ü'))).toBe(1_048_576 + 2 * NFKC_WORST_FACTOR);
    expect(nfkcBytes(Buffer.from(`${large}\\ufdfa`))).toBe(1_048_576 + 33);
    expect(nfkcBytes(Buffer.from(`${large}\\"`))).toBe(1_048_578);
    const odd = '\ufdfa'.repeat(400_000);
    expect(nfkcBytes(Buffer.from(odd))).toBe(Buffer.byteLength(odd.normalize('NFKC')));
  });

  it('holds at least the charge for 100,000 times U+FDFA, whatever the tokenizer makes of it', () => {
    const text = '\ufdfa'.repeat(100_000);
    const body = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: text }] }));
    const held = bound({
      bytes: body.length,
      imageBytes: 0,
      ascii: false,
      nfkcBytes: nfkcBytes(body),
      messages: 1,
      tools: 0,
      images: [],
      outputCap: 0,
      choices: 1,
      contextWindow: null,
      unboundable: false,
      format: 'openai-chat',
      cacheWrite: null,
      priced: aRow(),
    });
    const oneTokenAByte = bytesOf(text.normalize('NFKC'));
    expect(oneTokenAByte).toBe(3_300_000);
    expect(held.cost >= charge({ input: oneTokenAByte }, aRow())).toBe(true);
  });
});
