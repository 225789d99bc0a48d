/**
 * The row that priced an attempt: from the rates that its event kept, whoever set them, else from the table that this
 * build ships; null where the charge names another one.
 */
import { shippedPriceTable } from '@tollgate/prices/data';
import { UNIT_KINDS, type PriceRow, type TokenKind, type TokenRates } from '@tollgate/metering';
import type { ExplainedAttempt, ExplainedPrice } from './explanation.ts';

export const rowFinder = (): ((attempt: ExplainedAttempt) => PriceRow | null) => {
  const table = shippedPriceTable();
  return ({ priceRow, priceVersion }) => {
    if (priceRow === null) return null;
    const { provider, model } = nameOf(priceRow);
    if (priceRow.rates !== null && Object.keys(priceRow.rates).length > 0) return keptRow(priceRow, priceRow.rates);
    if (priceVersion !== table.version) return null;
    const found = table.lookup(provider, model);
    return found.kind === 'known' ? found.row : null;
  };
};

const keptRow = (price: ExplainedPrice, rates: Readonly<Record<string, bigint>>): PriceRow => ({
  ...nameOf(price),
  free: false,
  tiers: [{ aboveInputTokens: 0, rates: tokenRates(rates) }],
  units: Object.fromEntries(
    UNIT_KINDS.flatMap((kind) => {
      const rate = rates[kind];
      return rate === undefined ? [] : [[kind, rate]];
    }),
  ),
  source: price.source,
  date: price.date,
});

const tokenRates = (rates: Readonly<Record<string, bigint>>): TokenRates => {
  const of = (kind: TokenKind): bigint => rates[kind] ?? 0n;
  return {
    input: of('input'),
    cachedInput: of('cachedInput'),
    cacheWrite5m: of('cacheWrite5m'),
    cacheWrite1h: of('cacheWrite1h'),
    audioInput: of('audioInput'),
    output: of('output'),
    reasoning: of('reasoning'),
    audioOutput: of('audioOutput'),
  };
};

const nameOf = ({ model }: ExplainedPrice): { readonly provider: string; readonly model: string } => {
  const slash = model.indexOf('/');
  return { provider: model.slice(0, slash), model: model.slice(slash + 1) };
};
