import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { textKind } from './text-kind.ts';

describe('textKind', () => {
  it.each([
    ['', 'ascii'],
    ['{"a":"\\n\\u000a\\u007f"}', 'ascii'],
    ['{"a":"\\u0080"}', 'utf8'],
    ['{"a":"\\ufdfa"}', 'utf8'],
    ['{"a":"é"}', 'utf8'],
    ['{"a":"😀"}', 'utf8'],
    ['\ufeff{}', 'invalid'],
  ])('takes %j for %s', (text, kind) => {
    expect(textKind(Buffer.from(text))).toBe(kind);
  });

  it.each([
    ['a stray continuation', [0x80]],
    ['a missing continuation', [0xc3, 0x28]],
    ['an overlong form', [0xc0, 0xaf]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a cut character', [0x61, 0xf0, 0x9f, 0x98]],
    ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s', (_, bytes) => {
    expect(textKind(Buffer.from(bytes))).toBe('invalid');
  });

  it('sees the same at every place around the edge of its window', () => {
    for (let pad = 65_520; pad < 65_545; pad += 1) {
      expect(textKind(Buffer.from('a'.repeat(pad) + '😀' + 'b'.repeat(50)))).toBe('utf8');
      expect(textKind(Buffer.from('a'.repeat(pad) + '\\u00e9' + 'b'.repeat(50)))).toBe('utf8');
      expect(textKind(Buffer.from('a'.repeat(pad) + '\\u0041' + 'b'.repeat(50)))).toBe('ascii');
      expect(textKind(Buffer.concat([Buffer.alloc(pad, 'a'), Buffer.from([0xf0, 0x9f]), Buffer.alloc(50, 'b')]))).toBe(
        'invalid',
      );
      expect(textKind(Buffer.concat([Buffer.alloc(pad, 'a'), Buffer.alloc(50, 0x80)]))).toBe('invalid');
    }
  });

  it('takes a body with more escapes than it looks at for one that has wide ones', () => {
    const line = `\\n${'a'.repeat(65_000)}`;
    expect(textKind(Buffer.from(line.repeat(60)))).toBe('ascii');
    expect(textKind(Buffer.from(line.repeat(140)))).toBe('utf8');
    expect(textKind(Buffer.from(`\\n${'a'.repeat(12_000_000)}`))).toBe('ascii');
  });

  it('agrees with a plain reading of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const expected =
          /^[\x00-\x7f]*$/.test(text) && !/\\u(?!00[0-7])[0-9a-fA-F]{4}/.test(text)
            ? 'ascii'
            : text.startsWith('\ufeff')
              ? 'invalid'
              : 'utf8';
        expect(textKind(Buffer.from(text))).toBe(expected);
      }),
    );
  });
});
