import type { PriceRow, PriceTier, TokenRates } from './price.ts';
import type { Usage } from './usage.ts';
import { inputTokens } from './usage.ts';

/** The two rates, nano-USD per million tokens, above which no token of a call can be billed. */
export interface DearestRates {
  readonly input: bigint;
  readonly output: bigint;
}

/** What a body asks for that has a rate of its own. */
export interface RateNeeds {
  /** The upper bound of the call's input: decides which tiers it can reach. */
  readonly inputTokens: number;
  readonly cacheWrite: '5m' | '1h' | null;
  /** True where only an explicit request writes a cache (Anthropic). Elsewhere the provider may cache on its own. */
  readonly explicitCacheOnly: boolean;
  /** True where the body may carry audio, or anything that was not read. */
  readonly audioInput: boolean;
}

/**
 * Priority processing costs 1.7 to 2.5 times the ordinary rates, model by model (OpenAI, "Priority processing for API
 * customers", 2.5x for gpt-5.5; Gemini, 1.8x; both read 2026-11). The price source does not carry it a model, so the
 * dearest of them is held and charged. Flex and batch tiers are cheaper: nothing is taken off for them here.
 */
export const PRIORITY_PERMILLE = 2500;

/** Thousandths of the ordinary token price that a service tier may cost. */
export const tierPermille = (serviceTier: string | null | undefined): number =>
  serviceTier === 'priority' || serviceTier === 'fast' ? PRIORITY_PERMILLE : 1000;

/** The tier that a whole call is billed at: the last one whose threshold its input exceeds. */
export const tierFor = (row: PriceRow, usage: Usage): PriceTier | undefined => {
  const input = inputTokens(usage);
  return row.tiers.findLast((tier) => input > tier.aboveInputTokens) ?? row.tiers[0];
};

/** The dearest rates over every tier that the call can reach and every kind of token that it can cause. */
export const dearestRates = (row: PriceRow, needs: RateNeeds): DearestRates => {
  let input = 0n;
  let output = 0n;
  for (const tier of reachable(row, needs.inputTokens)) {
    input = max(input, dearestInput(tier.rates, needs));
    output = max(output, dearestOutput(tier.rates));
  }
  return { input, output };
};

const reachable = (row: PriceRow, bound: number): readonly PriceTier[] =>
  row.tiers.filter((tier, index) => index === 0 || bound > tier.aboveInputTokens);

const dearestInput = (rates: TokenRates, needs: RateNeeds): bigint => {
  // A cache hit is never assumed, but a source may price one above plain input.
  let dearest = max(rates.input, rates.cachedInput);
  // OpenAI bills automatic cache writes of some models at 1.25x input (developers.openai.com, gpt-5.6 and gpt-6).
  if (needs.cacheWrite !== null || !needs.explicitCacheOnly) dearest = max(dearest, rates.cacheWrite5m);
  if (needs.cacheWrite === '1h') dearest = max(dearest, rates.cacheWrite1h);
  if (needs.audioInput) dearest = max(dearest, rates.audioInput);
  return dearest;
};

/** Audio out is always counted in: only models that speak price it apart from text. */
const dearestOutput = (rates: TokenRates): bigint => max(max(rates.output, rates.reasoning), rates.audioOutput);

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
