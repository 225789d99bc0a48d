import type { ModelPrice, Provider } from '@pydantic/genai-prices';
import type { PriceTier, TokenRates, UnitKind } from '@tollgate/metering';
import { nanoOf } from './nano.ts';

export interface ReadPrices {
  readonly tiers: readonly PriceTier[];
  readonly units: Readonly<Partial<Record<UnitKind, bigint>>>;
  readonly notes: readonly string[];
}

/** Dollars a million tokens are nano-USD a million tokens times 10^9; dollars a thousand pieces, nano a piece times 10^6. */
const PER_MILLION = 9;
const PER_THOUSAND = 6;

/** What the source says of a model as tiers of every kind of token; null where it prices no text (audio hours, pages). */
export const readPrices = (prices: ModelPrice, provider: Provider, model: string): ReadPrices | null => {
  if (prices.input_mtok === undefined || (prices.output_mtok === undefined && !answersWithoutTokens(model)))
    return null;
  const starts = new Set([0]);
  for (const value of Object.values(prices)) {
    if (typeof value === 'object') for (const tier of value.tiers) starts.add(tier.start);
  }
  const claude = provider.id === 'anthropic' || model.includes('claude');
  const tiers = [...starts]
    .toSorted((a, b) => a - b)
    .map((start) => ({ aboveInputTokens: start, rates: ratesAbove(prices, start, claude) }));
  return { tiers, units: readUnits(prices), notes: dearerKinds(prices) };
};

/** Vectors, scores and classes are not billed: no output price is their price, not a gap in the source. */
const answersWithoutTokens = (model: string): boolean =>
  /embed|bge-|rerank|voyage-|distilbert|^ada$|^babbage$|^curie$|^davinci$/.test(model.toLowerCase());

const ratesAbove = (prices: ModelPrice, start: number, claude: boolean): TokenRates => {
  const rate = (key: string): bigint | undefined => rateAbove(prices[key], start);
  // Images in and out and video have no kind of their own yet: a text rate covers them by being the dearest of them.
  const input = dearest([rate('input_mtok'), rate('input_image_mtok'), rate('input_video_mtok')]);
  const output = dearest([rate('output_mtok'), rate('output_image_mtok'), rate('output_video_mtok')]);
  const write = rate('cache_write_mtok') ?? (claude ? times(input, 5n, 4n) : input);
  return {
    input,
    cachedInput: rate('cache_read_mtok') ?? input,
    cacheWrite5m: write,
    cacheWrite1h: rate('cache_write_1h_mtok') ?? (claude ? 2n * input : write),
    audioInput: rate('input_audio_mtok') ?? input,
    output,
    reasoning: rate('output_reasoning_mtok') ?? output,
    audioOutput: rate('output_audio_mtok') ?? output,
  };
};

/**
 * Anthropic prices cache writes at 1.25 times base input for five minutes and twice base input for an hour, for every
 * model ("Prompt caching: pricing", platform.claude.com, read 2026-11); stands in where the source leaves a Claude's out.
 */
const times = (rate: bigint, by: bigint, over: bigint): bigint => (rate * by + over - 1n) / over;

const rateAbove = (value: ModelPrice[string], start: number): bigint | undefined => {
  if (value === undefined) return undefined;
  if (typeof value === 'number') return nanoOf(value, PER_MILLION);
  const tier = value.tiers.toSorted((a, b) => a.start - b.start).findLast((each) => each.start <= start);
  return nanoOf(tier?.price ?? value.base, PER_MILLION);
};

const readUnits = (prices: ModelPrice): ReadPrices['units'] => ({
  ...piece('request', prices.requests_kcount),
  ...piece('webSearch', prices.web_searches_kcount),
});

const piece = (kind: UnitKind, value: ModelPrice[string]): Partial<Record<UnitKind, bigint>> => {
  if (value === undefined) return {};
  const dollars = typeof value === 'number' ? value : Math.max(value.base, ...value.tiers.map((tier) => tier.price));
  return { [kind]: nanoOf(dollars, PER_THOUSAND) };
};

const dearerKinds = (prices: ModelPrice): readonly string[] =>
  ['input_image_mtok', 'input_video_mtok', 'output_image_mtok', 'output_video_mtok'].some(
    (key) => prices[key] !== undefined,
  )
    ? ['text at the dearest of text, image and video']
    : [];

const dearest = (rates: readonly (bigint | undefined)[]): bigint => {
  let top = 0n;
  for (const rate of rates) if (rate !== undefined && rate > top) top = rate;
  return top;
};
