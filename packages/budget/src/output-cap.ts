/** The output cap for a call that names none and could otherwise hold all that is left (design §4.4). */

/** Enough for an ordinary answer, even when little money is left; also where nothing is known of the model. */
const ORDINARY_ANSWER = 4096;
const SHARE_OF_REMAINING = 10n;

export interface OutputCapInput {
  /** Tokens that the model can answer with at most; null = not known. */
  readonly maxOutputTokens: number | null;
  readonly contextWindow: number | null;
  /** Output tokens, per choice, that the tightest remaining limit would pay for; null = nothing limits them. */
  readonly payable: bigint | null;
}

/**
 * The least of the model's maximum, half its context window, and a tenth of what is payable but not below 4,096.
 *
 * @example
 * defaultOutputCap({ maxOutputTokens: 16_384, contextWindow: 128_000, payable: 50_000n }) // 5000
 */
export const defaultOutputCap = ({ maxOutputTokens, contextWindow, payable }: OutputCapInput): number => {
  const share = payable === null ? Infinity : Math.max(ORDINARY_ANSWER, Number(payable / SHARE_OF_REMAINING));
  const half = contextWindow === null ? Infinity : Math.floor(contextWindow / 2);
  // A provider refuses a cap above the model's maximum: where no figure is known, ask for no more than is ordinary.
  const most = maxOutputTokens ?? (contextWindow === null ? ORDINARY_ANSWER : Infinity);
  return Math.max(1, Math.min(most, half, share));
};
