import type { PriceRow, PriceTier, TokenRates } from '@tollgate/metering';
import { TOKEN_KINDS, UNIT_KINDS } from '@tollgate/metering';

/** A PriceRow whose bigints are decimal strings: the form of `table.json` and of snapshots (`SnapshotPriceRow`). */
export interface PriceRowJson {
  readonly provider: string;
  readonly model: string;
  readonly free: boolean;
  readonly tiers: readonly { readonly aboveInputTokens: number; readonly rates: Readonly<Record<string, string>> }[];
  readonly units: Readonly<Record<string, string>>;
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  readonly batchPermille?: number;
  readonly source: string;
  readonly date: string;
}

export const toSnapshotRow = (row: PriceRow): PriceRowJson => ({
  ...row,
  tiers: row.tiers.map(({ aboveInputTokens, rates }) => ({
    aboveInputTokens,
    rates: Object.fromEntries(TOKEN_KINDS.map((kind) => [kind, String(rates[kind])])),
  })),
  units: Object.fromEntries(
    UNIT_KINDS.flatMap((kind) => (row.units[kind] === undefined ? [] : [[kind, String(row.units[kind])]])),
  ),
});

/** Throws a RangeError that names the row and the kind, for a rate that is missing or no decimal integer. */
export const fromSnapshotRow = (row: PriceRowJson): PriceRow => {
  const where = `${row.provider}/${row.model}`;
  if (row.tiers.length === 0) throw new RangeError(`price of ${where}: no tiers`);
  return {
    ...row,
    tiers: row.tiers.map((tier) => readTier(tier, where)),
    units: Object.fromEntries(
      UNIT_KINDS.flatMap((kind) => {
        const text = row.units[kind];
        return text === undefined ? [] : [[kind, readInteger(text, `${where} ${kind}`)]];
      }),
    ),
  };
};

const readTier = (tier: PriceRowJson['tiers'][number], where: string): PriceTier => {
  const rate = (kind: string): bigint => readInteger(tier.rates[kind], `${where} ${kind}`);
  const rates: TokenRates = {
    input: rate('input'),
    cachedInput: rate('cachedInput'),
    cacheWrite5m: rate('cacheWrite5m'),
    cacheWrite1h: rate('cacheWrite1h'),
    audioInput: rate('audioInput'),
    output: rate('output'),
    reasoning: rate('reasoning'),
    audioOutput: rate('audioOutput'),
  };
  return { aboveInputTokens: tier.aboveInputTokens, rates };
};

const readInteger = (text: string | undefined, where: string): bigint => {
  if (text === undefined || !/^[0-9]{1,18}$/.test(text)) {
    throw new RangeError(`price of ${where}: not a decimal integer: ${JSON.stringify(text ?? null)}`);
  }
  return BigInt(text);
};
