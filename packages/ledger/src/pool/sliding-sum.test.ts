import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { largestSlidingSum, slidingRoomAt } from './sliding-sum.ts';

const terms = { buckets: 3, bucketMs: 10 };

describe('largestSlidingSum', () => {
  it('sums the fullest run of buckets that the bucket belongs to', () => {
    const around = [0, 10, 20, 30, 40].map((start, index) => ({ start, amount: BigInt([5, 1, 2, 1, 9][index] ?? 0) }));
    expect(largestSlidingSum(around, 20, terms)).toBe(12n);
    expect(largestSlidingSum(around, 10, terms)).toBe(8n);
    expect(largestSlidingSum([], 10, terms)).toBe(0n);
  });

  it('bounds every interval of the window’s length, wherever it starts', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(120), amount: fc.bigInt(0n, 50n) }), { maxLength: 30 }), (spends) => {
        const buckets = new Map<number, bigint>();
        for (const { at, amount } of spends) {
          const start = at - (at % 10);
          // Admitted as the ledger does: only where every run of three buckets stays within 100.
          const next = new Map(buckets).set(start, (buckets.get(start) ?? 0n) + amount);
          const list = [...next].map(([from, sum]) => ({ start: from, amount: sum }));
          if (largestSlidingSum(list, start, terms) > 100n) continue;
          buckets.set(start, next.get(start) ?? 0n);
        }
        for (let from = 0; from <= 120; from += 1) {
          // Two buckets' length touches at most three buckets.
          const touched = [...buckets].filter(([start]) => start + 10 > from && start < from + 20);
          expect(touched.reduce((sum, [, amount]) => sum + amount, 0n) <= 100n).toBe(true);
        }
      }),
    );
  });
});

describe('slidingRoomAt', () => {
  const around = [
    { start: 0, amount: 4n },
    { start: 10, amount: 1n },
    { start: 20, amount: 5n },
  ];

  it('is when enough buckets have passed out of reach, not when the present one ends', () => {
    expect(slidingRoomAt(around, 20, terms, { max: 10n, need: 4n })).toBe(30);
    expect(slidingRoomAt(around, 20, terms, { max: 10n, need: 5n })).toBe(40);
    expect(slidingRoomAt(around, 20, terms, { max: 10n, need: 10n })).toBe(50);
  });

  it('is never for what is above the limit', () => {
    expect(slidingRoomAt(around, 20, terms, { max: 10n, need: 11n })).toBeNull();
  });
});
