import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_AMOUNT, displayUsd, formatUsd, parseUsd } from '@tollgate/metering';

describe('money', () => {
  it('reads back every amount that it wrote', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_AMOUNT }), (nano) => {
        expect(parseUsd(formatUsd(nano))).toBe(nano);
        expect(parseUsd(displayUsd(nano))).toBe(nano);
      }),
    );
  });

  it.each(['', '1.', '.5', '-1', '1e3', '0x1', '1.0000000001', '9007199.254740992', '12345678', ' 1', '1\n'])(
    'refuses %j as an amount',
    (text) => {
      expect(() => parseUsd(text)).toThrow(RangeError);
    },
  );

  it.each([
    [0n, '0.00'],
    [1n, '0.000000001'],
    [1_500_000_000n, '1.50'],
    [12_345_678_900n, '12.3456789'],
    [-20_000_000n, '-0.02'],
  ])('shows %s nano as %s', (nano, text) => {
    expect(displayUsd(nano)).toBe(text);
  });
});
