import type { NanoUsd } from './money.ts';
import type { TokenKind, UnitKind } from './usage.ts';

/** Nano-USD per 1,000,000 tokens of a kind ($0.01875 per million = 18_750_000n). */
export type TokenRates = Readonly<Record<TokenKind, bigint>>;

/** Rates that hold for the whole call once its input exceeds `aboveInputTokens` (0 for the base tier). */
export interface PriceTier {
  readonly aboveInputTokens: number;
  readonly rates: TokenRates;
}

/** One model of one provider, as priced from `effectiveFrom` on. Immutable. */
export interface PriceRow {
  readonly provider: string;
  /** The id that the provider uses; aliases are resolved by the table, never here. */
  readonly model: string;
  readonly free: boolean;
  /** Ascending by `aboveInputTokens`; the first is 0. */
  readonly tiers: readonly PriceTier[];
  /** Nano-USD per piece. */
  readonly units: Readonly<Partial<Record<UnitKind, NanoUsd>>>;
  /** Tokens; absent where the source does not say. */
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  /** Batch calls cost this many thousandths of the ordinary price (500 = half). */
  readonly batchPermille?: number;
  /** Where the figure comes from, and when that source was read (ISO date). */
  readonly source: string;
  readonly date: string;
}

/** "Unknown" is a value: no row is invented for a model that no source prices. */
export type PriceLookup =
  | { readonly kind: 'known'; readonly row: PriceRow; readonly version: string }
  | { readonly kind: 'unknown'; readonly model: string };
