import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeRedactor } from './redactor.ts';

const KEY = 'sk-canary/4242+abc=';
const CLEAN = 'before [redacted], [redacted] after';

/** What comes out of the pieces that `text` is cut into at these places. */
const passed = (text: string, cuts: readonly number[], key = KEY): string => {
  const redactor = makeRedactor(key);
  const bytes = Buffer.from(text);
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const out = places.slice(1).map((end, i) => redactor.push(bytes.subarray(places[i], end)));
  return Buffer.concat([...out, redactor.end()]).toString();
};

describe('a redactor', () => {
  it.each([KEY, KEY.replaceAll('/', '\\/'), encodeURIComponent(KEY), Buffer.from(KEY).toString('base64url')])(
    'takes %s out, wherever it is cut',
    (form) => {
      const text = `before ${form}, ${form} after`;
      fc.assert(
        fc.property(fc.array(fc.nat({ max: text.length }), { maxLength: 8 }), (cuts) => {
          expect(passed(text, cuts)).toBe(CLEAN);
        }),
      );
      expect(
        passed(
          text,
          [...text].map((_, i) => i),
        ),
      ).toBe(CLEAN);
    },
  );

  it('passes everything else as it is, beginnings of the key too', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('sk-', 'sk-canary/', 'x', '\n', 'ü')),
        fc.array(fc.nat({ max: 20 })),
        (words, cuts) => {
          const text = words.join('');
          expect(
            passed(
              text,
              cuts.filter((cut) => cut <= Buffer.byteLength(text)),
            ),
          ).toBe(text);
        },
      ),
    );
  });

  it('copies nothing where there is nothing to take out', () => {
    const piece = Buffer.from('data: {}\n\n');
    expect(makeRedactor(KEY).push(piece)).toBe(piece);
  });

  it('leaves a stand-in for a key alone', () => {
    expect(passed('ollama says ollama', [3], 'ollama')).toBe('ollama says ollama');
  });

  it('looks into texts', () => {
    expect(makeRedactor(KEY).text(`Bearer ${KEY}`)).toBe('Bearer [redacted]');
  });
});
