/** Settles an attempt: the one place that turns its ending into a charge and hands it to the ledger. */
import type { Escrow, Hold } from '@tollgate/ledger/escrow';
import type { Envelope } from '@tollgate/providers';
import { chargedPrice } from './charged-price.ts';
import { counterCharge, settlementOf, type Ending } from './settlement.ts';
import type { Estimate } from './estimate.ts';
import type { Candidate } from '../exchange.ts';
import type { CallPolicy, PolicyBook } from '../policy/call-policy.ts';

export interface SettleDeps {
  readonly escrow: Pick<Escrow, 'settle'>;
  readonly now: () => number;
  readonly observe: SettleObserver;
}

export interface SettleObserver {
  settled(kind: string): void;
  holdViolated(model: string | null): void;
}

/** What stages before this one decided, and the backend at hand. */
export interface Routed {
  readonly book: PolicyBook;
  readonly policy: CallPolicy;
  readonly envelope: Envelope;
  readonly candidate: Candidate;
}

export interface Admitted {
  readonly hold: Hold;
  /** Read when it is settled, since an open hold may be tightened. */
  readonly estimate: Estimate;
}

/** What the provider's answer was, apart from its contents. */
export interface AnswerFacts {
  /** Null: there was none. */
  readonly status: number | null;
  /** Milliseconds UTC; undefined: no byte of its body came. */
  readonly firstByteAt?: number | undefined;
}

/** Nano-USD charged. */
export const settle = (
  deps: SettleDeps,
  { book, policy, envelope, candidate }: Routed,
  { hold, estimate: estimated }: Admitted,
  ending: Ending,
  { status, firstByteAt }: AnswerFacts,
): bigint => {
  const charged = settlementOf({
    ending,
    estimate: estimated,
    envelope,
    policy,
    modelSent: candidate.modelSent,
    answeredPrice: (model) => {
      const found = candidate.pricedAs === null ? null : book.prices.lookup(candidate.pricedAs, model);
      return found?.kind === 'known' ? found.row : null;
    },
  });
  if (charged.charged > estimated.bound.cost && policy.hasCostLimit) deps.observe.holdViolated(candidate.modelSent);
  deps.observe.settled(charged.settle);
  const { priceRow } = charged;
  deps.escrow.settle(hold, {
    settle: charged.settle,
    usage: charged.usage,
    charged: charged.charged,
    counterCharge: (need) => counterCharge(charged, need),
    modelAnswered: 'answer' in ending ? (ending.answer?.model ?? null) : null,
    priceRow: priceRow === null ? null : chargedPrice(priceRow, charged.usage),
    status,
    endedAt: deps.now(),
    firstByteAt,
  });
  return charged.charged;
};
