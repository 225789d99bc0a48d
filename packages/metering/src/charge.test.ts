import { describe, expect, it } from '@jest/globals';
import type { PriceRow, Usage } from '@tollgate/metering';
import { TOKEN_KINDS, charge, inputTokens, tierFor, unpricedUnits } from '@tollgate/metering';
import fc from 'fast-check';
import { aRow, anyRow, someRates } from './testing/price-rows.ts';

const anyCount = fc.integer({ min: 0, max: 2_000_000 });
const anyUsage: fc.Arbitrary<Usage> = fc.record(Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, anyCount])), {
  requiredKeys: [],
});

/** The exact cost as a fraction over 10^6, by another way than the code's. */
const exactMillionths = (usage: Usage, row: PriceRow): bigint => {
  const tier = row.tiers
    .filter((each) => each.aboveInputTokens === 0 || inputTokens(usage) > each.aboveInputTokens)
    .at(-1);
  const tokens = TOKEN_KINDS.reduce((sum, kind) => sum + BigInt(usage[kind] ?? 0) * (tier?.rates[kind] ?? 0n), 0n);
  return tokens + (row.units.request ?? 0n) * 1_000_000n;
};

describe('the charge of a call', () => {
  it('is the sum of tokens by rates', () => {
    expect(charge({ input: 1000, output: 1 }, aRow())).toBe(3_015_000n);
    expect(
      charge({ input: 10, cachedInput: 1000, cacheWrite5m: 100, cacheWrite1h: 100, output: 5, reasoning: 5 }, aRow()),
    ).toBe(30_000n + 300_000n + 375_000n + 600_000n + 75_000n + 75_000n);
  });

  it('rounds up once: the error is below one nano, and never in the favour of the caller', () => {
    fc.assert(
      fc.property(anyUsage, anyRow, (usage, row) => {
        const error = charge(usage, row) * 1_000_000n - exactMillionths(usage, row);
        expect(error >= 0n && error < 1_000_000n).toBe(true);
      }),
    );
  });

  it('does not fall when a call of one tier uses more', () => {
    fc.assert(
      fc.property(anyUsage, anyRow, fc.constantFrom(...TOKEN_KINDS), fc.nat(1000), (usage, row, kind, more) => {
        const larger = { ...usage, [kind]: (usage[kind] ?? 0) + more };
        fc.pre(tierFor(row, usage) === tierFor(row, larger));
        expect(charge(larger, row) >= charge(usage, row)).toBe(true);
      }),
    );
  });

  it('rounds two thousandths of a nano to one nano, not each part to one', () => {
    const row = aRow({ tiers: [{ aboveInputTokens: 0, rates: someRates({ input: 1n, output: 1n }) }] });
    expect(charge({ input: 1000, output: 1000 }, row)).toBe(1n);
  });

  it('bills the whole call at the tier that its input exceeds, cached tokens included', () => {
    const dear = someRates({ input: 6_000_000_000n, cachedInput: 600_000_000n, output: 22_500_000_000n });
    const row = aRow({
      tiers: [
        { aboveInputTokens: 0, rates: someRates() },
        { aboveInputTokens: 200_000, rates: dear },
      ],
    });
    expect(charge({ input: 200_000, output: 10 }, row)).toBe(600_000_000n + 150_000n);
    expect(charge({ input: 1, cachedInput: 200_000, output: 10 }, row)).toBe(6_000n + 120_000_000n + 225_000n);
  });

  it('charges a flat fee once a call, and pieces by number', () => {
    const row = aRow({ units: { request: 12_000_000n, webSearch: 10_000_000n } });
    expect(charge({}, row)).toBe(12_000_000n);
    expect(charge({ webSearch: 3 }, row)).toBe(42_000_000n);
    expect(charge({ request: 2 }, row)).toBe(24_000_000n);
  });

  it('takes the batch discount off tokens and not off pieces, where one is known', () => {
    const row = aRow({ batchPermille: 500, units: { webSearch: 10_000_000n } });
    expect(charge({ input: 1000, webSearch: 1 }, row, { batch: true })).toBe(1_500_000n + 10_000_000n);
    expect(charge({ input: 1000 }, aRow(), { batch: true })).toBe(3_000_000n);
  });

  it('charges priority processing at its dearest factor', () => {
    expect(charge({ input: 1000 }, aRow(), { serviceTier: 'priority' })).toBe(7_500_000n);
    expect(charge({ input: 1000 }, aRow(), { serviceTier: 'flex' })).toBe(3_000_000n);
    expect(charge({ input: 1000 }, aRow({ batchPermille: 333 }), { serviceTier: 'priority', batch: true })).toBe(
      2_497_500n,
    );
  });

  it('is nothing for a free row', () => {
    expect(charge({ input: 1000, output: 1000, webSearch: 2 }, aRow({ free: true }))).toBe(0n);
  });

  it('names the pieces that a row does not price', () => {
    expect(unpricedUnits({ webSearch: 1 }, aRow())).toEqual(['webSearch']);
    expect(unpricedUnits({ webSearch: 1 }, aRow({ units: { webSearch: 1n } }))).toEqual([]);
    expect(unpricedUnits({ webSearch: 1 }, aRow({ free: true }))).toEqual([]);
    expect(unpricedUnits({ request: 1 }, aRow())).toEqual([]);
  });

  it('refuses counts that are no integers, and rows without a tier', () => {
    expect(() => charge({ input: 1.5 }, aRow())).toThrow(RangeError);
    expect(() => charge({ input: 1 }, aRow({ tiers: [] }))).toThrow(RangeError);
  });
});
