import type { PriceRow, TokenKind, TokenRates } from '@tollgate/metering';
import { UNIT_KINDS } from '@tollgate/metering';

/**
 * One row that is at least as dear as every row given, kind by kind and in every tier: what a model of that family that
 * no source prices yet is held at. Null for no rows. Free rows count for nothing.
 */
export const dearestOf = (
  kin: readonly PriceRow[],
  asked: { readonly provider: string; readonly model: string; readonly family: string },
): PriceRow | null => {
  const priced = kin.filter((row) => !row.free);
  const dearestOutput = priced.toSorted((a, b) => compare(topRate(b, 'output'), topRate(a, 'output')))[0];
  if (dearestOutput === undefined) return null;
  const windows = priced.flatMap((row) => row.contextWindow ?? []);
  return {
    provider: asked.provider,
    model: asked.model,
    free: false,
    tiers: [{ aboveInputTokens: 0, rates: topRates(priced) }],
    units: Object.fromEntries(
      UNIT_KINDS.flatMap((kind) => {
        const prices = priced.flatMap((row) => row.units[kind] ?? []);
        return prices.length === 0 ? [] : [[kind, prices.reduce(larger)]];
      }),
    ),
    ...(windows.length === 0 ? {} : { contextWindow: Math.max(...windows) }),
    source: `dearest of ${priced.length} priced ${asked.family} models of ${asked.provider}, output as ${dearestOutput.model}`,
    date: priced.map((row) => row.date).reduce((a, b) => (a > b ? a : b)),
  };
};

const topRates = (rows: readonly PriceRow[]): TokenRates => {
  const top = (kind: TokenKind): bigint => rows.map((row) => topRate(row, kind)).reduce(larger, 0n);
  return {
    input: top('input'),
    cachedInput: top('cachedInput'),
    cacheWrite5m: top('cacheWrite5m'),
    cacheWrite1h: top('cacheWrite1h'),
    audioInput: top('audioInput'),
    output: top('output'),
    reasoning: top('reasoning'),
    audioOutput: top('audioOutput'),
  };
};

const topRate = (row: PriceRow, kind: TokenKind): bigint =>
  row.tiers.map((tier) => tier.rates[kind]).reduce(larger, 0n);

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
