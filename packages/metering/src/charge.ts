import type { NanoUsd } from './money.ts';
import type { PriceRow } from './price.ts';
import { tierFor, tierPermille } from './rates.ts';
import type { Usage } from './usage.ts';
import { TOKEN_KINDS, UNIT_KINDS } from './usage.ts';

export interface ChargeOptions {
  /** The call ran in the provider's batch API. */
  readonly batch?: boolean;
  /** As the answer said, else as asked. */
  readonly serviceTier?: string | null;
}

/** Rates are per million tokens, two factors are per thousand: all sums are kept at this scale until the one rounding. */
const SCALE = 1_000_000_000_000n;

/**
 * What a call costs, exactly: sum(tokens x rate) / 1e6 + pieces x price, rounded up once. The whole call is billed at one
 * tier. A flat fee per request is charged once unless the usage says how often.
 *
 * @example
 * charge({ input: 1000, output: 1 }, row) // at $3 and $15 a million: 3_000_000n + 15_000n = 3_015_000n nano
 */
export const charge = (usage: Usage, row: PriceRow, options: ChargeOptions = {}): NanoUsd => {
  if (row.free) return 0n;
  const factors = BigInt(discount(row, options.batch ?? false) * tierPermille(options.serviceTier));
  const scaled = tokenCost(usage, row) * factors + unitCost(usage, row) * SCALE;
  return (scaled + SCALE - 1n) / SCALE;
};

/** Kinds of pieces that the usage has and the row does not price: their cost is unknown, not zero. */
export const unpricedUnits = (usage: Usage, row: PriceRow): readonly (typeof UNIT_KINDS)[number][] =>
  row.free
    ? []
    : UNIT_KINDS.filter((kind) => kind !== 'request' && (usage[kind] ?? 0) > 0 && row.units[kind] === undefined);

const discount = (row: PriceRow, batch: boolean): number => (batch ? (row.batchPermille ?? 1000) : 1000);

const tokenCost = (usage: Usage, row: PriceRow): bigint => {
  const rates = tierFor(row, usage)?.rates;
  if (rates === undefined) throw new RangeError(`no tier in the price of ${row.provider}/${row.model}`);
  let cost = 0n;
  for (const kind of TOKEN_KINDS) {
    const tokens = usage[kind];
    if (tokens !== undefined && tokens > 0) cost += BigInt(tokens) * rates[kind];
  }
  return cost;
};

const unitCost = (usage: Usage, row: PriceRow): bigint => {
  let cost = 0n;
  for (const kind of UNIT_KINDS) {
    const pieces = usage[kind] ?? (kind === 'request' ? 1 : 0);
    cost += BigInt(pieces) * (row.units[kind] ?? 0n);
  }
  return cost;
};
