import type { PriceRowJson } from '../row.ts';

/** A rate that became ten times what it was, or a tenth. */
export interface PriceJump {
  readonly model: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  /** Beyond ten times, either way: needs a person's word. */
  readonly refused: boolean;
}

export const findJumps = (former: readonly PriceRowJson[], rows: readonly PriceRowJson[]): readonly PriceJump[] => {
  const known = new Map(former.map((row) => [`${row.provider}/${row.model}`, row]));
  return rows.flatMap((row) => {
    const model = `${row.provider}/${row.model}`;
    const before = known.get(model);
    return before === undefined ? [] : rowJumps(model, before, row);
  });
};

const rowJumps = (model: string, before: PriceRowJson, after: PriceRowJson): readonly PriceJump[] => {
  const was = new Map(rates(before));
  return rates(after).flatMap(([kind, to]) => {
    const from = was.get(kind);
    if (from === undefined || from === to) return [];
    const [low, high] = [BigInt(from), BigInt(to)].toSorted((a, b) => (a < b ? -1 : 1));
    if (low === undefined || high === undefined || high < low * 10n) return [];
    return [{ model, kind, from, to, refused: high > low * 10n }];
  });
};

const rates = (row: PriceRowJson): readonly (readonly [string, string])[] => [
  ...row.tiers.flatMap((tier) =>
    Object.entries(tier.rates).map(([kind, rate]) => [`${kind} above ${tier.aboveInputTokens}`, rate] as const),
  ),
  ...Object.entries(row.units).map(([kind, price]) => [kind, price] as const),
];
