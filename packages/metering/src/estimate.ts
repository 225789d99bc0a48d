import type { Usage } from './usage.ts';
import { inputTokens, outputTokens } from './usage.ts';

/** What is known of an attempt whose final figures never came. */
export interface EstimateInput {
  /** What the answer has stated on the way (`Answer.floor`: Anthropic gives the input first): at least this is billed. */
  readonly known: Usage | null;
  /** Text of the request, in bytes, images left out. */
  readonly requestBytes: number;
  /** Tokens of images, as bounded. */
  readonly imageTokens?: number;
  /** Text delivered, in bytes. */
  readonly deliveredBytes: number;
  /** Exact local counts, where the model has a public tokenizer. */
  readonly exactInputTokens?: number;
  readonly exactOutputTokens?: number;
  /** The hold's own bound: an estimate never exceeds it. */
  readonly bound: { readonly inputTokens: number; readonly outputTokens: number };
}

/**
 * Bytes a token, taken low so that the estimate errs upwards: English prose has about 4.5 in o200k_base, JSON and code
 * 3 to 3.5, Chinese 3 to 4 (one to two characters of 3 bytes).
 */
export const BYTES_PER_TOKEN = 3;

/** What the provider had made and not yet delivered when a stream was cut: 5 % and 16 tokens (one or two packets). */
const MARGIN_PERCENT = 5;
const MARGIN_TOKENS = 16;

/** An abandoned stream, preset Standard: input + delivered + a margin. Never nothing. */
export const estimateAbandoned = (input: EstimateInput): Usage => {
  const delivered = deliveredTokens(input);
  return estimated(input, delivered + Math.ceil((delivered * MARGIN_PERCENT) / 100) + MARGIN_TOKENS);
};

/** A complete answer without usage: a local count, no margin for what was under way. */
export const estimateMissing = (input: EstimateInput): Usage => estimated(input, deliveredTokens(input));

const deliveredTokens = (input: EstimateInput): number =>
  Math.max(
    input.exactOutputTokens ?? Math.ceil(input.deliveredBytes / BYTES_PER_TOKEN),
    input.known === null ? 0 : outputTokens(input.known),
  );

const estimated = (input: EstimateInput, output: number): Usage => {
  const { known, bound } = input;
  const capped = Math.min(output, bound.outputTokens);
  if (known === null || inputTokens(known) === 0) return { input: inputEstimate(input), output: capped };
  // What the provider said of the input is kept kind by kind; reasoning it reported stays reasoning.
  const { output: _cursor, ...kept } = known;
  return { ...kept, output: Math.max(0, capped - (known.reasoning ?? 0) - (known.audioOutput ?? 0)) };
};

const inputEstimate = (input: EstimateInput): number => {
  const text = input.exactInputTokens ?? Math.ceil(input.requestBytes / BYTES_PER_TOKEN);
  return Math.max(1, Math.min(input.bound.inputTokens, text + (input.imageTokens ?? 0)));
};
