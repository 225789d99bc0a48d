import type { PriceRow, PriceTier, TokenRates } from '@tollgate/metering';
import fc from 'fast-check';

/** A row at $3 in, $15 out, with cache rates as Anthropic has them; what a test cares about is given. */
export const aRow = (given: Partial<PriceRow> = {}): PriceRow => ({
  provider: 'anthropic',
  model: 'claude-test',
  free: false,
  tiers: [{ aboveInputTokens: 0, rates: someRates() }],
  units: {},
  source: 'test',
  date: '2026-11-21',
  ...given,
});

export const someRates = (given: Partial<TokenRates> = {}): TokenRates => ({
  input: 3_000_000_000n,
  cachedInput: 300_000_000n,
  cacheWrite5m: 3_750_000_000n,
  cacheWrite1h: 6_000_000_000n,
  audioInput: 3_000_000_000n,
  output: 15_000_000_000n,
  reasoning: 15_000_000_000n,
  audioOutput: 15_000_000_000n,
  ...given,
});

/** Up to $1,000 a million, in steps of a nano: also rates that no provider has. */
const anyRate = fc.bigInt({ min: 0n, max: 1_000_000_000_000n });

export const anyRates: fc.Arbitrary<TokenRates> = fc.record({
  input: anyRate,
  cachedInput: anyRate,
  cacheWrite5m: anyRate,
  cacheWrite1h: anyRate,
  audioInput: anyRate,
  output: anyRate,
  reasoning: anyRate,
  audioOutput: anyRate,
});

const anyTiers: fc.Arbitrary<readonly PriceTier[]> = fc
  .tuple(
    anyRates,
    fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 300_000 }), anyRates), {
      maxLength: 2,
      selector: ([start]) => start,
    }),
  )
  .map(([base, more]) => [
    { aboveInputTokens: 0, rates: base },
    ...more.toSorted(([a], [b]) => a - b).map(([aboveInputTokens, rates]) => ({ aboveInputTokens, rates })),
  ]);

export const anyRow: fc.Arbitrary<PriceRow> = fc
  .record({ tiers: anyTiers, request: fc.option(fc.bigInt({ min: 0n, max: 1_000_000_000n }), { nil: undefined }) })
  .map(({ tiers, request }) => aRow({ tiers, units: request === undefined ? {} : { request } }));
