import type { PriceRow, PriceTier, TokenRates } from './price.ts';

/** As a ModelRoute or a budget states it: nano-USD per million tokens, decimal integer strings. */
export interface PriceOverride {
  readonly free: boolean;
  readonly inputPerMillion: string | null;
  readonly cachedInputPerMillion: string | null;
  readonly cacheWritePerMillion: string | null;
  readonly outputPerMillion: string | null;
}

export interface OverrideTarget {
  readonly provider: string;
  readonly model: string;
  /** Names the resource that states the price: `ModelRoute team-a/chat`. */
  readonly source: string;
  readonly date: string;
}

/**
 * The row that an override makes of a table's row; a kind that it leaves out keeps the table's rate. Null: there is no
 * row to fall back to and the override leaves input or output out, so the price stays unknown.
 */
export const overrideRow = (
  base: PriceRow | null,
  override: PriceOverride,
  target: OverrideTarget,
): PriceRow | null => {
  const named = { provider: target.provider, model: target.model, source: target.source, date: target.date };
  if (override.free)
    return { ...base, ...named, free: true, tiers: [{ aboveInputTokens: 0, rates: NO_RATES }], units: {} };
  const stated = statedRates(override);
  if (base !== null && !base.free) return { ...base, ...named, tiers: base.tiers.map(restated(stated)) };
  if (stated.input === null || stated.output === null) return null;
  return { ...base, ...named, free: false, tiers: [flatTier(stated.input, stated.output, stated)], units: {} };
};

/** A price stated for models that no table prices (`onUnpriced: Price`); null unless both rates are stated. */
export const statedRow = (
  stated: { readonly inputPerMillion: string | null; readonly outputPerMillion: string | null },
  target: OverrideTarget,
): PriceRow | null =>
  overrideRow(null, { free: false, cachedInputPerMillion: null, cacheWritePerMillion: null, ...stated }, target);

const NO_RATES: TokenRates = {
  input: 0n,
  cachedInput: 0n,
  cacheWrite5m: 0n,
  cacheWrite1h: 0n,
  audioInput: 0n,
  output: 0n,
  reasoning: 0n,
  audioOutput: 0n,
};

interface StatedRates {
  readonly input: bigint | null;
  readonly cachedInput: bigint | null;
  readonly cacheWrite: bigint | null;
  readonly output: bigint | null;
}

const statedRates = (override: PriceOverride): StatedRates => ({
  input: parse(override.inputPerMillion),
  cachedInput: parse(override.cachedInputPerMillion),
  cacheWrite: parse(override.cacheWritePerMillion),
  output: parse(override.outputPerMillion),
});

const parse = (text: string | null): bigint | null => {
  if (text === null) return null;
  if (!/^[0-9]{1,18}$/.test(text))
    throw new RangeError(`not a rate in nano-USD per million tokens: ${text.slice(0, 40)}`);
  return BigInt(text);
};

const flatTier = (input: bigint, output: bigint, stated: StatedRates): PriceTier => ({
  aboveInputTokens: 0,
  rates: {
    input,
    cachedInput: stated.cachedInput ?? input,
    cacheWrite5m: stated.cacheWrite ?? input,
    cacheWrite1h: stated.cacheWrite ?? input,
    audioInput: input,
    output,
    reasoning: output,
    audioOutput: output,
  },
});

/** Kinds that a tier prices like plain input or output follow it; the others keep their own rate unless stated. */
const restated =
  (stated: StatedRates) =>
  ({ aboveInputTokens, rates }: PriceTier): PriceTier => {
    const input = stated.input ?? rates.input;
    const output = stated.output ?? rates.output;
    const like = (kind: bigint, plain: bigint, now: bigint): bigint => (kind === plain ? now : kind);
    const write = like(rates.cacheWrite5m, rates.input, input);
    return {
      aboveInputTokens,
      rates: {
        input,
        cachedInput: stated.cachedInput ?? like(rates.cachedInput, rates.input, input),
        cacheWrite5m: stated.cacheWrite ?? write,
        cacheWrite1h: hourWrite(stated.cacheWrite, rates) ?? like(rates.cacheWrite1h, rates.input, input),
        audioInput: like(rates.audioInput, rates.input, input),
        output,
        reasoning: like(rates.reasoning, rates.output, output),
        audioOutput: like(rates.audioOutput, rates.output, output),
      },
    };
  };

/** One stated cache-write rate is the five-minute one; an hour keeps the ratio that the table has between them. */
const hourWrite = (stated: bigint | null, { cacheWrite5m, cacheWrite1h }: TokenRates): bigint | null => {
  if (stated === null) return null;
  return cacheWrite5m === 0n ? stated : (stated * cacheWrite1h + cacheWrite5m - 1n) / cacheWrite5m;
};
