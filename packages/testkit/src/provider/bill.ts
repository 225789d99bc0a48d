/** The provider's side of the ledger: what it would put on the invoice, by its own arithmetic. */
import { allInput } from './mock-usage.ts';
import type { MockUsage } from './mock-usage.ts';

/** Nano-USD per million tokens. A kind left out costs what plain input (or output) costs. */
export interface MockRates {
  readonly input: bigint;
  readonly cachedInput?: bigint;
  readonly cacheWrite5m?: bigint;
  readonly cacheWrite1h?: bigint;
  readonly audioInput?: bigint;
  readonly output: bigint;
  readonly reasoning?: bigint;
  readonly audioOutput?: bigint;
}

export interface MockPrice extends MockRates {
  /** Nano-USD per call, on top. */
  readonly request?: bigint;
  /** The rates of the whole call once its input exceeds so many tokens; the highest that is exceeded holds. */
  readonly tiers?: readonly { readonly aboveInputTokens: number; readonly rates: MockRates }[];
}

export type MockPrices = Readonly<Record<string, MockPrice>>;

export interface BilledCall {
  readonly id: number;
  /** What the caller named it by `x-mock-label`. */
  readonly label?: string;
  /** Milliseconds since 1970, when the request had been read. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** As asked, without a behaviour suffix; `answeredModel` is what the answer names. */
  readonly model: string | null;
  readonly answeredModel: string | null;
  readonly stream: boolean;
  readonly status: number;
  readonly usage: MockUsage;
  /** Only where the price list names the model. */
  readonly billedNano?: bigint;
  /** Lower-case names, as received, repetitions kept. Values are never logged. */
  readonly receivedHeaders: readonly string[];
  readonly requestBytes: number;
  readonly requestSha256: string;
  readonly responseBytes: number;
  /** Of the bytes of the body as written, after any compression. */
  readonly responseSha256: string;
  /** The answer did not reach its end, by whoever's doing. */
  readonly aborted: boolean;
  /** Output tokens handed to the socket. */
  readonly deliveredTokens: number;
}

const MILLION = 1_000_000n;

/** ceil(Σ tokens × rate / 10⁶) + the fee: one rounding, upwards. */
export const billedNano = (usage: MockUsage, price: MockPrice): bigint => {
  const rates = ratesFor(price, allInput(usage));
  const sum =
    BigInt(usage.input) * rates.input +
    BigInt(usage.cachedInput) * (rates.cachedInput ?? rates.input) +
    BigInt(usage.cacheWrite5m) * (rates.cacheWrite5m ?? rates.input) +
    BigInt(usage.cacheWrite1h) * (rates.cacheWrite1h ?? rates.input) +
    BigInt(usage.audioInput) * (rates.audioInput ?? rates.input) +
    BigInt(usage.output) * rates.output +
    BigInt(usage.reasoning) * (rates.reasoning ?? rates.output) +
    BigInt(usage.audioOutput) * (rates.audioOutput ?? rates.output);
  const whole = sum / MILLION;
  return (sum % MILLION === 0n ? whole : whole + 1n) + (price.request ?? 0n);
};

export const totalBilled = (calls: readonly BilledCall[]): bigint => {
  let total = 0n;
  for (const call of calls) total += call.billedNano ?? 0n;
  return total;
};

/** One line of the log file; the amount as a decimal string, since JSON numbers are not exact above 2^53. */
export const toLogLine = (call: BilledCall): string =>
  JSON.stringify(call, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));

const ratesFor = (price: MockPrice, inputTokens: number): MockRates => {
  let rates: MockRates = price;
  let reached = -1;
  for (const tier of price.tiers ?? []) {
    if (inputTokens > tier.aboveInputTokens && tier.aboveInputTokens > reached) {
      rates = tier.rates;
      reached = tier.aboveInputTokens;
    }
  }
  return rates;
};
