/**
 * What an attempt can cost at most, and so what must be held for it. Pure: the price, the bound and the needs follow
 * from the envelope, the candidate and the policy. Before `admit`, which needs the worst case; per attempt, since each
 * backend has its own price.
 */
import { defaultOutputCap } from '@tollgate/budget';
import { bound, dearestRates, statedRow, tierPermille, type Bound, type PriceRow } from '@tollgate/metering';
import type { HoldNeed } from '@tollgate/ledger/escrow';
import type { Envelope } from '@tollgate/providers';
import { refuse, type Refusal } from '../refusal.ts';
import type { Candidate } from '../exchange.ts';
import type { CallPolicy, PlannedLimit } from '../policy/call-policy.ts';

export interface EstimateInput {
  readonly envelope: Envelope;
  /** Bytes of the text after NFKC; equal to the body's where it is ASCII. */
  readonly nfkcBytes: number;
  readonly candidate: Candidate;
  readonly policy: CallPolicy;
  /** What a limit has left, as last known; null = not known, then all of it. */
  readonly left: (limit: PlannedLimit) => bigint | null;
  /** The dearest row of the model's family, for a model without a price. */
  readonly standIn: (candidate: Candidate) => PriceRow | null;
  /** An exact count of the text's tokens, where one was made; null = the bytes bound them. */
  readonly exactTextTokens: number | null;
  /** Overrides the cap: what `admit` found to fit. */
  readonly forcedCap: number | null;
}

export interface Estimate {
  readonly price: PriceRow | null;
  /** The row is a stand-in: the charge goes by the model that answered, where that has a price. */
  readonly isStandIn: boolean;
  readonly bound: Bound;
  /** Nano-USD per million tokens of output, at the dearest that this call can cause: what a cap is reckoned with. */
  readonly outputRate: bigint;
  /** Tokens to put into the request; null = leave it as it is. */
  readonly capPut: number | null;
  /** Let through though its cost cannot be bounded or priced exactly. */
  readonly unproven: boolean;
  readonly hard: readonly HoldNeed[];
  readonly soft: readonly HoldNeed[];
  readonly audit: readonly HoldNeed[];
}

export type EstimateResult =
  { readonly ok: true; readonly estimate: Estimate } | { readonly ok: false; readonly refusal: Refusal };

/** Formats whose answer is billed by output tokens. */
const HAS_OUTPUT = {
  'openai-chat': true,
  'openai-completions': true,
  'openai-responses': true,
  'openai-embeddings': false,
  'anthropic-messages': true,
  'gemini-generate': true,
} as const;

export const estimate = (input: EstimateInput): EstimateResult => {
  const { envelope, candidate, policy } = input;
  const rules = policy.rules;

  let price = candidate.price;
  let isStandIn = false;
  let unproven = false;
  if (price === null) {
    price = stated(input) ?? input.standIn(candidate);
    isStandIn = price !== null;
    if (rules !== null && policy.hasCostLimit) {
      if (rules.preset === 'Strict' || rules.onUnpriced.action === 'Refuse')
        return no(unpriced(candidate, 'and the budget refuses models without one'));
      if (rules.onUnpriced.action === 'TokensOnly') price = null;
      else if (price === null) return no(unpriced(candidate, 'and none of its family has one'));
      unproven = true;
    }
  }

  let ceiling: bigint | null = null;
  const isUnboundable = envelope.unboundable.length > 0;
  if (isUnboundable && rules !== null) {
    const what = envelope.unboundable.join(', ');
    if (rules.preset === 'Strict' || rules.onUnboundable.action === 'Refuse') {
      return no(
        refuse(
          'unboundable_request',
          `the cost of this call cannot be bounded (${what}), and a budget refuses such calls; set onUnboundable.action: Ceiling to allow them`,
        ),
      );
    }
    if (rules.onUnboundable.ceiling !== null) ceiling = BigInt(rules.onUnboundable.ceiling);
    else if (price?.contextWindow === undefined) {
      return no(
        refuse(
          'unboundable_request',
          `the cost of this call cannot be bounded (${what}), and the context window of this model is not known; state onUnboundable.ceiling in the budget`,
        ),
      );
    }
    unproven = true;
  }

  const hasOutput = HAS_OUTPUT[envelope.format];
  const cap = hasOutput ? outputCap(input, price) : { tokens: 0, put: null };
  const most = bound({
    bytes: envelope.bytes,
    imageBytes: envelope.imageBytes,
    ascii: envelope.ascii,
    nfkcBytes: input.nfkcBytes,
    messages: envelope.messages,
    tools: envelope.tools,
    images: envelope.images,
    outputCap: cap.tokens,
    choices: envelope.choices,
    contextWindow: price?.contextWindow ?? null,
    unboundable: isUnboundable,
    format: envelope.format,
    cacheWrite: envelope.cacheWrite,
    serviceTier: envelope.serviceTier,
    ...(input.exactTextTokens === null ? {} : { exactTextTokens: input.exactTextTokens }),
    priced: price ?? UNPRICED,
  });
  const total: Bound = ceiling === null ? most : { ...most, cost: ceiling };
  return {
    ok: true,
    estimate: {
      price,
      isStandIn,
      bound: total,
      outputRate: outputRate(input, price, total.inputTokens),
      capPut: cap.put,
      unproven,
      hard: toNeeds(policy.hard, total),
      soft: toNeeds(policy.soft, total),
      audit: toNeeds(policy.audit, total),
    },
  };
};

/** The cap in force for this attempt, and the one to put in where the caller gave none (design §4.4). */
const outputCap = (
  input: EstimateInput,
  price: PriceRow | null,
): { readonly tokens: number; readonly put: number | null } => {
  const { envelope, policy, forcedCap } = input;
  if (forcedCap !== null) return { tokens: forcedCap, put: forcedCap };
  if (envelope.outputCap !== null) return { tokens: envelope.outputCap, put: null };
  const tokens = defaultOutputCap({
    maxOutputTokens: price?.maxOutputTokens ?? null,
    contextWindow: price?.contextWindow ?? null,
    payable: payableTokens(input, outputRate(input, price, envelope.bytes)),
  });
  const own = ownDefaultCap(input);
  const least = own === null ? tokens : Math.min(own, tokens);
  return { tokens: least, put: policy.needsCap ? least : null };
};

/**
 * What the provider itself takes for a cap that is not given: a larger one put in would buy text that nobody asked for.
 * Only OpenAI's legacy completions have one ("Create completion", max_tokens); compatible hosts have each their own.
 */
const ownDefaultCap = ({ envelope, candidate }: EstimateInput): number | null =>
  envelope.format === 'openai-completions' && candidate.backend?.provider !== 'OpenAICompatible' ? 16 : null;

/** Output tokens that the tightest remaining money (or tokens) would pay for; null where nothing limits them. */
const payableTokens = ({ envelope, policy, left }: EstimateInput, rate: bigint): bigint | null => {
  const choices = BigInt(envelope.choices);
  let fewest: bigint | null = null;
  for (const limit of policy.hard) {
    const remaining = max(left(limit) ?? limit.max, 0n);
    let tokens: bigint;
    if (limit.unit === 'cost' && rate > 0n) tokens = (remaining * 1_000_000n) / (rate * choices);
    else if (limit.unit === 'tokens' && limit.count !== 'Input') tokens = remaining / choices;
    else continue;
    if (fewest === null || tokens < fewest) fewest = tokens;
  }
  return fewest;
};

const outputRate = ({ envelope }: EstimateInput, price: PriceRow | null, inputTokens: number): bigint => {
  if (price === null) return 0n;
  const needs = { inputTokens, cacheWrite: envelope.cacheWrite, explicitCacheOnly: true, audioInput: false };
  return (dearestRates(price, needs).output * BigInt(tierPermille(envelope.serviceTier))) / 1000n;
};

/** Only what really draws on a limit: a free model must go on when the money is gone. */
const toNeeds = (limits: readonly PlannedLimit[], { cost, inputTokens, outputTokens }: Bound): HoldNeed[] => {
  const needs: HoldNeed[] = [];
  for (const { budget, limit, partition, unit, count, max: most } of limits) {
    const amount =
      unit === 'cost'
        ? cost
        : unit === 'requests'
          ? 1n
          : BigInt(count === 'Input' ? inputTokens : count === 'Output' ? outputTokens : inputTokens + outputTokens);
    if (amount > 0n) needs.push({ budget, limit, partition, unit, count, amount, max: most });
  }
  return needs;
};

const stated = ({ policy, candidate }: EstimateInput): PriceRow | null => {
  const rule = policy.rules?.onUnpriced;
  if (rule === undefined) return null;
  return statedRow(rule, {
    provider: candidate.provider,
    model: candidate.modelSent ?? '',
    source: 'TokenBudget onUnpriced',
    date: '',
  });
};

/** Stands for a price that is not known where only tokens are counted. */
const UNPRICED: PriceRow = { provider: '', model: '', free: true, tiers: [], units: {}, source: '', date: '' };

const unpriced = ({ modelSent, provider }: Candidate, why: string): Refusal =>
  modelSent === null
    ? refuse('invalid_body', 'model is missing, and without it the call has no price', { param: 'model' })
    : refuse(
        'unpriced_model',
        `model ${JSON.stringify(modelSent)} of ${provider} has no known price, ${why}. State one in the ModelRoute (backends[].price) or in the budget (onUnpriced), or mark it free`,
        { param: 'model' },
      );

const no = (refusal: Refusal): EstimateResult => ({ ok: false, refusal });
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
