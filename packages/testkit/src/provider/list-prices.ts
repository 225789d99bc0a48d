/**
 * List prices of the models that the simulator shows, so that its bill says something when it runs by itself. Read by
 * hand from the providers' price pages, and not from Tollgate's tables; tests that compare state their own.
 */
import type { MockPrices } from './bill.ts';

/** US cents per million tokens → nano-USD per million. */
const cents = (amount: number): bigint => BigInt(Math.round(amount * 1000)) * 10_000n;

export const LIST_PRICES: MockPrices = {
  // https://platform.openai.com/docs/pricing
  'gpt-4o': { input: cents(250), cachedInput: cents(125), output: cents(1000) },
  'gpt-4o-mini': { input: cents(15), cachedInput: cents(7.5), output: cents(60) },
  'gpt-4.1': { input: cents(200), cachedInput: cents(50), output: cents(800) },
  'gpt-4.1-mini': { input: cents(40), cachedInput: cents(10), output: cents(160) },
  'gpt-5': { input: cents(125), cachedInput: cents(12.5), output: cents(1000) },
  'gpt-5-mini': { input: cents(25), cachedInput: cents(2.5), output: cents(200) },
  o3: { input: cents(200), cachedInput: cents(50), output: cents(800) },
  'o4-mini': { input: cents(110), cachedInput: cents(27.5), output: cents(440) },
  'text-embedding-3-small': { input: cents(2), output: 0n },
  // https://docs.anthropic.com/en/docs/about-claude/pricing
  'claude-haiku-4-5': {
    input: cents(100),
    cachedInput: cents(10),
    cacheWrite5m: cents(125),
    cacheWrite1h: cents(200),
    output: cents(500),
  },
  // https://ai.google.dev/gemini-api/docs/pricing
  'gemini-2.5-flash': { input: cents(30), cachedInput: cents(3), output: cents(250) },
  'gemini-2.5-pro': {
    input: cents(125),
    cachedInput: cents(12.5),
    output: cents(1000),
    tiers: [{ aboveInputTokens: 200_000, rates: { input: cents(250), cachedInput: cents(25), output: cents(1500) } }],
  },
  'gemini-2.0-flash': { input: cents(10), cachedInput: cents(2.5), output: cents(40) },
};
