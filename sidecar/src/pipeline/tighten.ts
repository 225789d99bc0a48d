/** Makes a bound smaller before "no" is said: an exact count of the input, then a smaller cap. */
import { counterKey } from '@tollgate/ledger';
import type { Envelope } from '@tollgate/providers';
import type { Denied } from './admit.ts';
import { estimate, type Estimate, type EstimateInput } from './estimate.ts';
import type { PlannedLimit } from '../policy/call-policy.ts';

export interface TightenDeps {
  /** An exact count of the request's text, or null where no tokenizer is public. */
  readonly countText: (model: string | null, envelope: Envelope, body: Buffer) => Promise<number | null>;
  /** The cap was lowered to what the budget can pay. */
  readonly clamped: () => void;
}

/** A smaller estimate that may fit: first the exact count of the input, then a smaller cap where the cap is ours to choose. */
export const tighten = async (
  deps: TightenDeps,
  question: EstimateInput,
  body: Buffer,
  denied: Denied,
): Promise<Estimate | null> => {
  const exactTextTokens = await deps.countText(question.candidate.modelSent, question.envelope, body);
  const left = (limit: PlannedLimit): bigint | null =>
    limit.budget === denied.counter.budget && limit.limit === denied.counter.limit ? denied.left : question.left(limit);
  const again = estimate({ ...question, exactTextTokens, left });
  if (!again.ok) return null;
  const fits = fitsDenied(again.estimate, denied);
  if (fits || question.policy.rules?.onInsufficient !== 'Clamp') return again.estimate;
  const cap = clampedCap(again.estimate, question, denied);
  if (cap === null) return again.estimate;
  const clamped = estimate({ ...question, exactTextTokens, left, forcedCap: cap });
  if (!clamped.ok) return again.estimate;
  deps.clamped();
  return clamped.estimate;
};

/** A call that is on its way keeps its cap: only its input can be counted. Null where that is no smaller than was held. */
export const tightenOpen = async (
  countText: TightenDeps['countText'],
  question: EstimateInput,
  body: Buffer | null,
  sent: Estimate,
): Promise<Estimate | null> => {
  if (body === null) return null;
  const exactTextTokens = await countText(question.candidate.modelSent, question.envelope, body);
  if (exactTextTokens === null) return null;
  const again = estimate({ ...question, exactTextTokens, forcedCap: sent.capPut });
  return again.ok && again.estimate.bound.inputTokens < sent.bound.inputTokens ? again.estimate : null;
};

const fitsDenied = ({ hard }: Estimate, { counter, left }: Denied): boolean =>
  hard.every((need) => counterKey(need) !== counterKey(counter) || need.amount <= left);

/** Output tokens that what is left pays for, input paid first; null where not even one. */
const clampedCap = (
  { bound, outputRate, hard }: Estimate,
  { envelope }: EstimateInput,
  { counter, left }: Denied,
): number | null => {
  const need = hard.find((each) => counterKey(each) === counterKey(counter));
  if (need === undefined || bound.outputTokens === 0) return null;
  const perToken = need.unit === 'cost' ? outputRate : need.unit === 'tokens' ? 1_000_000n : 0n;
  if (perToken === 0n) return null;
  const outputPart = (BigInt(bound.outputTokens) * perToken + 999_999n) / 1_000_000n;
  const spare = left - (need.amount - outputPart);
  if (spare <= 0n) return null;
  const tokens = (spare * 1_000_000n) / (perToken * BigInt(envelope.choices));
  return tokens >= 1n ? Number(tokens) : null;
};
