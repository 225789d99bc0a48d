/**
 * From how an attempt ended to what it is charged. Pure. The rules are reliability.md 2.6 as amended by design §4.9:
 * missing is not zero, an abort is never free, and where nothing better is known the hold is the charge.
 */
import {
  charge,
  estimateAbandoned,
  estimateMissing,
  imageTokens,
  inputTokens,
  mayReasonUnseen,
  outputTokens,
  totalTokens,
  unpricedUnits,
  type NanoUsd,
  type PriceRow,
  type Usage,
} from '@tollgate/metering';
import type { HoldNeed } from '@tollgate/ledger/escrow';
import type { SettleKind } from '@tollgate/ledger';
import type { Answer, Envelope } from '@tollgate/providers';
import type { Estimate } from './estimate.ts';
import type { CallPolicy } from '../policy/call-policy.ts';

export type Ending =
  /** Nothing reached the provider: refused connection, forbidden address. */
  | { readonly how: 'unreached' }
  /** The answer came to its end. */
  | { readonly how: 'answered'; readonly status: number; readonly answer: Answer }
  /** Timeout, reset, garbage: the provider may bill what we cannot see. */
  | { readonly how: 'failed'; readonly answer: Answer | null }
  /** The caller left, and reading on was cut. */
  | { readonly how: 'abandoned'; readonly stream: boolean; readonly answer: Answer | null };

export interface Charged {
  readonly settle: SettleKind;
  readonly usage: Usage;
  readonly charged: NanoUsd;
  readonly priceRow: PriceRow | null;
}

export interface SettlementInput {
  readonly ending: Ending;
  readonly estimate: Estimate;
  readonly envelope: Envelope;
  readonly policy: CallPolicy;
  readonly modelSent: string | null;
  /** The price of the model that answered, for a call that was held at a stand-in. */
  readonly answeredPrice: (model: string) => PriceRow | null;
}

export const settlementOf = (input: SettlementInput): Charged => {
  const { ending, estimate } = input;
  switch (ending.how) {
    case 'unreached':
      return nothing(estimate);
    case 'answered':
      if (ending.answer.usage !== null) return byUsage(input, ending.answer.usage, ending.answer);
      return isUnbilled(input, ending.status, ending.answer) ? nothing(estimate) : unknown(input, ending.answer);
    case 'failed':
      if (ending.answer?.complete === true && ending.answer.usage !== null)
        return byUsage(input, ending.answer.usage, ending.answer);
      return unknown(input, ending.answer);
    case 'abandoned':
      if (ending.answer?.complete === true && ending.answer.usage !== null)
        return byUsage(input, ending.answer.usage, ending.answer);
      return ending.stream && isBoundedByDelivery(input) ? delivered(input, ending.answer, 'abandoned') : atHold(input);
    default:
      return ending satisfies never;
  }
};

/** Statuses that say that the call was turned away before any work: 503 (RFC 9110), 529 (Anthropic, "Errors": overloaded). */
const TURNED_AWAY = new Set([503, 529]);

/**
 * A provider that says no, or says in its own words that it failed, bills nothing; Strict believes that of a 4xx alone. What
 * says nothing (a 502 of something between, a body that is no JSON) may have been billed.
 */
const isUnbilled = ({ policy }: SettlementInput, status: number, { complete, errored }: Answer): boolean => {
  if (status >= 400 && status < 500) return true;
  if (status < 500 || policy.rules?.preset === 'Strict') return false;
  return TURNED_AWAY.has(status) || (complete && errored);
};

/** What was delivered tells what was made, but for models that reason out of sight; Strict does not count on it. */
const isBoundedByDelivery = ({ policy, envelope, modelSent }: SettlementInput): boolean =>
  policy.rules?.preset !== 'Strict' && !mayReasonUnseen(modelSent, envelope.asksThinking);

/** What one counter is charged, in its own unit. */
export const counterCharge = ({ settle, usage, charged }: Charged, need: HoldNeed): bigint => {
  switch (need.unit) {
    case 'cost':
      return charged;
    case 'requests':
      return settle === 'void' ? 0n : 1n;
    case 'tokens':
      if (settle === 'void') return 0n;
      if (settle === 'hold') return need.amount;
      return BigInt(
        need.count === 'Input'
          ? inputTokens(usage)
          : need.count === 'Output'
            ? outputTokens(usage)
            : totalTokens(usage),
      );
    default:
      return need.unit satisfies never;
  }
};

/** The tier that the answer names is the one that is billed: a call that asked for priority may be served without. */
const byUsage = (input: SettlementInput, stated: Usage, answer: Answer): Charged => {
  const { estimate, envelope, answeredPrice } = input;
  const row = (estimate.isStandIn && answer.model !== null ? answeredPrice(answer.model) : null) ?? estimate.price;
  const usage = withSearch(envelope, stated);
  const charged = priceOf(usage, row, answer.serviceTier ?? envelope.serviceTier);
  if (row === null || unpricedUnits(usage, row).length === 0) return { settle: 'usage', usage, charged, priceRow: row };
  // Pieces that were billed at a price nobody knows: a Hard budget promised, and its hold is the next best bound.
  const { cost } = estimate.bound;
  return {
    settle: 'estimated',
    usage,
    charged: input.policy.rules === null || charged > cost ? charged : cost,
    priceRow: row,
  };
};

/** A chat completion with `web_search_options` is billed for its search ($35 a thousand, openrouter.ai, 2026-11), which its usage does not count. */
const withSearch = ({ format, unboundable }: Envelope, usage: Usage): Usage =>
  format === 'openai-chat' && usage.webSearch === undefined && unboundable.includes('hosted_tool')
    ? { ...usage, webSearch: 1 }
    : usage;

/** Nothing was billed: no usage and a plain "no" from the provider, or nothing was sent. */
const nothing = ({ price }: Estimate): Charged => ({ settle: 'void', usage: {}, charged: 0n, priceRow: price });

/** The provider did not say: the hold where a Hard budget promised, a local count elsewhere. */
const unknown = (input: SettlementInput, answer: Answer | null): Charged =>
  input.policy.rules === null ? delivered(input, answer, 'estimated') : atHold(input);

const atHold = ({ estimate: { bound, price } }: SettlementInput): Charged => ({
  settle: 'hold',
  usage: { input: bound.inputTokens, output: bound.outputTokens },
  charged: bound.cost,
  priceRow: price,
});

/** Input, what was delivered, and a margin; never more than the hold. */
const delivered = (input: SettlementInput, answer: Answer | null, settle: 'abandoned' | 'estimated'): Charged => {
  const { estimate, envelope } = input;
  const facts = {
    known: answer?.usage ?? answer?.floor ?? null,
    requestBytes: envelope.bytes - envelope.imageBytes,
    imageTokens: envelope.images.reduce(
      (sum, image) => sum + imageTokens(envelope.format, estimate.price?.model ?? '', image),
      0,
    ),
    deliveredBytes: answer?.deliveredBytes ?? 0,
    bound: estimate.bound,
  };
  const usage = settle === 'abandoned' ? estimateAbandoned(facts) : estimateMissing(facts);
  const cost = priceOf(usage, estimate.price, envelope.serviceTier);
  return { settle, usage, charged: cost < estimate.bound.cost ? cost : estimate.bound.cost, priceRow: estimate.price };
};

const priceOf = (usage: Usage, row: PriceRow | null, serviceTier: string | null): NanoUsd =>
  row === null ? 0n : charge(usage, row, { serviceTier });
