import { describe, expect, it } from '@jest/globals';
import type { PriceRow, TokenRates } from '@tollgate/metering';
import { chargedPrice } from './charged-price.ts';

const RATES: TokenRates = {
  input: 150_000_000n,
  cachedInput: 75_000_000n,
  cacheWrite5m: 0n,
  cacheWrite1h: 0n,
  audioInput: 0n,
  output: 600_000_000n,
  reasoning: 600_000_000n,
  audioOutput: 0n,
};
const ROW: PriceRow = {
  provider: 'openai',
  model: 'm',
  free: false,
  tiers: [
    { aboveInputTokens: 0, rates: RATES },
    { aboveInputTokens: 1_000, rates: { ...RATES, input: 300_000_000n } },
  ],
  units: { webSearch: 10_000_000n },
  source: 'ModelRoute default/models',
  date: '2026-11-21',
};

describe('the price that an event keeps', () => {
  it('has the rates of what was used, of the tier that the call was billed at', () => {
    expect(chargedPrice(ROW, { input: 2_000, output: 1, cachedInput: 0 })).toEqual({
      model: 'openai/m',
      source: 'ModelRoute default/models',
      date: '2026-11-21',
      rates: { input: '300000000', output: '600000000' },
    });
    expect(chargedPrice(ROW, { input: 1, webSearch: 2 }).rates).toEqual({ input: '150000000', webSearch: '10000000' });
  });

  it('has a flat fee that the usage does not name, and nothing where the model is free', () => {
    expect(chargedPrice({ ...ROW, units: { request: 5n } }, {}).rates).toEqual({ request: '5' });
    expect(chargedPrice({ ...ROW, free: true }, { input: 1 }).rates).toEqual({});
  });
});
