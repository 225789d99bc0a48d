import { describe, expect, it } from '@jest/globals';
import { overrideRow, statedRow } from '@tollgate/metering';
import { aRow, someRates } from './testing/price-rows.ts';

const target = { provider: 'openai-compatible', model: 'llama3', source: 'ModelRoute team-a/chat', date: '2026-11-21' };
const nothing = {
  free: false,
  inputPerMillion: null,
  cachedInputPerMillion: null,
  cacheWritePerMillion: null,
  outputPerMillion: null,
};

describe('a price that a route states', () => {
  it('stands for the whole row where the table has none', () => {
    const row = overrideRow(null, { ...nothing, inputPerMillion: '100', outputPerMillion: '200' }, target);
    expect(row).toMatchObject({
      ...target,
      free: false,
      tiers: [
        {
          aboveInputTokens: 0,
          rates: { input: 100n, cachedInput: 100n, cacheWrite1h: 100n, output: 200n, reasoning: 200n },
        },
      ],
    });
  });

  it('stays unknown where neither the table nor the route says input and output', () => {
    expect(overrideRow(null, { ...nothing, inputPerMillion: '100' }, target)).toBeNull();
    expect(statedRow({ inputPerMillion: null, outputPerMillion: '1' }, target)).toBeNull();
    expect(statedRow({ inputPerMillion: '1', outputPerMillion: '2' }, target)?.tiers).toHaveLength(1);
  });

  it('replaces the kinds it names, in every tier, and leaves the others', () => {
    const base = aRow({
      contextWindow: 200_000,
      tiers: [
        { aboveInputTokens: 0, rates: someRates() },
        { aboveInputTokens: 200_000, rates: someRates({ input: 6_000_000_000n }) },
      ],
    });
    const row = overrideRow(base, { ...nothing, inputPerMillion: '2000000000' }, target);
    expect(row?.contextWindow).toBe(200_000);
    expect(row?.tiers.map(({ rates }) => rates.input)).toEqual([2_000_000_000n, 2_000_000_000n]);
    expect(row?.tiers[0]?.rates.cachedInput).toBe(300_000_000n);
    expect(row?.source).toBe('ModelRoute team-a/chat');
  });

  it('carries kinds that cost what plain input and output cost', () => {
    const row = overrideRow(aRow(), { ...nothing, inputPerMillion: '2', outputPerMillion: '7' }, target);
    expect(row?.tiers[0]?.rates).toMatchObject({ audioInput: 2n, reasoning: 7n, audioOutput: 7n });
  });

  it('takes one cache-write price for five minutes, and keeps the ratio to an hour', () => {
    const row = overrideRow(
      aRow(),
      { ...nothing, cachedInputPerMillion: '1', cacheWritePerMillion: '3000000000' },
      target,
    );
    expect(row?.tiers[0]?.rates).toMatchObject({
      cachedInput: 1n,
      cacheWrite5m: 3_000_000_000n,
      cacheWrite1h: 4_800_000_000n,
    });
    const flat = overrideRow(
      aRow({ tiers: [{ aboveInputTokens: 0, rates: someRates({ cacheWrite5m: 0n }) }] }),
      { ...nothing, cacheWritePerMillion: '9' },
      target,
    );
    expect(flat?.tiers[0]?.rates.cacheWrite1h).toBe(9n);
  });

  it('makes a model free only when it says so', () => {
    const row = overrideRow(aRow({ units: { request: 1n } }), { ...nothing, free: true }, target);
    expect(row).toMatchObject({ free: true, units: {} });
    const paid = overrideRow(aRow({ free: true }), { ...nothing, inputPerMillion: '1', outputPerMillion: '1' }, target);
    expect(paid?.free).toBe(false);
  });

  it('refuses what is no rate', () => {
    expect(() => overrideRow(null, { ...nothing, inputPerMillion: '1.5', outputPerMillion: '1' }, target)).toThrow(
      RangeError,
    );
  });
});
