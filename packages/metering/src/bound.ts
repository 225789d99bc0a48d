import type { NanoUsd } from './money.ts';
import type { PriceRow } from './price.ts';
import type { ImageSize } from './image-bound.ts';
import { imageTokens } from './image-bound.ts';
import { dearestRates, tierPermille } from './rates.ts';

/** What is known of a call before it is sent. */
export interface BoundInput {
  /** Of the body, and how many of them are images as base64 or data URLs (bounded by their dimensions instead). */
  readonly bytes: number;
  readonly imageBytes: number;
  /** No byte beyond ASCII and no escape that may stand for such. */
  readonly ascii: boolean;
  /** Bytes of the whole body after NFKC (`nfkcBytes`); absent = not measured: the worst factor. Ignored if `ascii`. */
  readonly nfkcBytes?: number;
  readonly messages: number;
  readonly tools: number;
  readonly images: readonly ImageSize[];
  /** Tokens of output per choice. */
  readonly outputCap: number;
  readonly choices: number;
  readonly contextWindow: number | null;
  /** Something in the body whose tokens the body does not bound: a file, a stored conversation, a hosted tool. */
  readonly unboundable: boolean;
  readonly format: string;
  readonly cacheWrite: '5m' | '1h' | null;
  readonly serviceTier?: string | null;
  /** Tokens of the text by an exact public tokenizer or the provider's own count, which then stand for its bytes. */
  readonly exactTextTokens?: number;
  readonly priced: PriceRow;
}

export interface Bound {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** At the dearest rates that this body can cause. */
  readonly cost: NanoUsd;
  /** False: the context window or a ceiling was assumed, and a hosted tool may run past it. Counts as `unproven`. */
  readonly proven: boolean;
}

/**
 * Template constants. A byte-level token covers at least one byte of the body; what the provider adds of its own is
 * bounded by these: role and separator tokens a message (OpenAI adds 3 to 4, cookbook "How to count tokens with tiktoken";
 * Gemma's turn markers take 5), the tool-use system prompt (Anthropic, "Tool use", pricing table: at most 346 to 804 by
 * model), and a preamble (dates, reasoning effort, safety).
 */
export const TOKENS_PER_MESSAGE = 16;
export const TOKENS_FOR_TOOLS = 1024;
export const TOKENS_PER_CALL = 512;

/** NFKC makes of U+FDFA (3 bytes) 33 bytes: no code point grows more. A test tries all of them. */
export const NFKC_WORST_FACTOR = 11;

/** Input that nothing bounds, of a model whose window no source gives: the largest of any priced model (Llama 4 Scout). */
export const LARGEST_CONTEXT_WINDOW = 10_500_000;

/** The most that a call can consume and cost: for every usage within it, `charge` is at most `cost`. */
export const bound = (input: BoundInput): Bound => {
  const inputTokens = inputBound(input);
  const outputTokens = outputBound(input);
  const rates = dearestRates(input.priced, {
    inputTokens,
    cacheWrite: input.cacheWrite,
    explicitCacheOnly: input.format === 'anthropic-messages',
    audioInput: input.unboundable,
  });
  const permille = BigInt(tierPermille(input.serviceTier));
  const tokens = (BigInt(inputTokens) * rates.input + BigInt(outputTokens) * rates.output) * permille;
  const cost = input.priced.free ? 0n : divideUp(tokens, 1_000_000_000n) + (input.priced.units.request ?? 0n);
  return { inputTokens, outputTokens, cost, proven: !input.unboundable };
};

const inputBound = (input: BoundInput): number => {
  const window = input.contextWindow === null ? null : input.contextWindow * windows(input);
  if (input.unboundable) return window ?? LARGEST_CONTEXT_WINDOW;
  return Math.min(window ?? Number.MAX_SAFE_INTEGER, textBound(input) + template(input) + pictures(input));
};

/** A list of inputs or prompts has a window for each of them (OpenAI, "Create embeddings": 8,192 an input, 300,000 a call). */
const windows = ({ format, messages }: BoundInput): number =>
  format === 'openai-embeddings' || format === 'openai-completions' ? Math.max(1, messages) : 1;

const textBound = (input: BoundInput): number => {
  if (input.exactTextTokens !== undefined) return input.exactTextTokens;
  const text = Math.max(0, input.bytes - input.imageBytes);
  if (input.ascii) return text;
  // Base64 is ASCII: normalised or not, images take the same bytes of the body.
  const normalised = input.nfkcBytes === undefined ? text * NFKC_WORST_FACTOR : input.nfkcBytes - input.imageBytes;
  return Math.max(text, normalised);
};

const template = (input: BoundInput): number =>
  TOKENS_PER_CALL + input.messages * TOKENS_PER_MESSAGE + (input.tools > 0 ? TOKENS_FOR_TOOLS : 0);

const pictures = (input: BoundInput): number => {
  let tokens = 0;
  for (const image of input.images) tokens += imageTokens(input.format, input.priced.model, image);
  return tokens;
};

/** Embeddings answer with vectors, which are not billed. Completions answer every prompt of a list. */
const outputBound = (input: BoundInput): number => {
  if (input.format === 'openai-embeddings') return 0;
  return Math.min(Number.MAX_SAFE_INTEGER, input.outputCap * Math.max(1, input.choices) * windows(input));
};

const divideUp = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by;
