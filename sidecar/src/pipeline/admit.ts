/**
 * Holds the bound of an attempt on every counter that it touches, all or none, before the first byte is sent. Where the
 * money does not suffice, the bound is made tighter once (an exact count of the input, a smaller cap) before "no" is
 * said. After `estimate`, whose needs it holds; synchronous while the leases in hand suffice.
 */
import { LedgerRefused, LedgerUnavailable, type AcquireResult } from '@tollgate/ledger';
import { displayUsd } from '@tollgate/metering';
import {
  EscrowClosed,
  type Escrow,
  type EventHead,
  type Hold,
  type HoldNeed,
  type HoldResult,
} from '@tollgate/ledger/escrow';
import type { LimitUnit } from '@tollgate/api';
import { refuse, refuseForBudget, unavailableRefusal, type Refusal } from '../refusal.ts';
import type { Estimate } from './estimate.ts';

export type Denied = Extract<AcquireResult, { granted: false }>;

export interface AdmitRequest {
  readonly estimate: Estimate;
  readonly waitMs: number;
  readonly head: EventHead;
  /** Of the caller's leaving; asked for only where the call has to wait. */
  readonly signal: () => AbortSignal;
  /** A smaller estimate that still allows the call, or null. */
  readonly tighten: (denied: Denied) => Promise<Estimate | null>;
  /** While the call is open and others wait: a smaller estimate of the call as it was sent, or null. */
  readonly tightenOpen: (sent: Estimate) => Promise<Estimate | null>;
}

export type Admission =
  /** The estimate by which it is settled: smaller where the hold was tightened meanwhile. */
  | { readonly admitted: true; readonly hold: Hold; estimate: Estimate }
  | { readonly admitted: false; readonly refusal: Refusal };

/** Throws only what is a fault of this program; a ledger that is gone is a refusal. */
export const admit = (escrow: Escrow, request: AdmitRequest): Admission | Promise<Admission> => {
  let { estimate } = request;
  let admitted: Extract<Admission, { admitted: true }> | null = null;
  const conclude = (result: HoldResult): Admission =>
    result.held
      ? (admitted = { admitted: true, hold: result.hold, estimate })
      : { admitted: false, refusal: refusalOf(result.denied, estimate.hard) };
  let outcome: HoldResult | Promise<HoldResult>;
  try {
    outcome = escrow.openHold({
      needs: estimate.hard,
      audit: estimate.audit,
      soft: estimate.soft,
      waitMs: request.waitMs,
      head: request.head,
      signal: request.signal,
      tighten: async (denied) => {
        const tighter = await request.tighten(denied);
        if (tighter === null) return null;
        estimate = tighter;
        return { held: tighter.bound.cost, needs: tighter.hard };
      },
      tightenOpen: async () => {
        const sent = admitted;
        const tighter = sent === null ? null : await request.tightenOpen(sent.estimate);
        if (sent === null || tighter === null) return null;
        return {
          held: tighter.bound.cost,
          needs: tighter.hard,
          accepted: () => {
            sent.estimate = tighter;
          },
        };
      },
    });
  } catch (error) {
    return { admitted: false, refusal: faultOf(error, estimate.hard) };
  }
  return outcome instanceof Promise
    ? outcome.then(conclude, (error: unknown) => ({ admitted: false, refusal: faultOf(error, estimate.hard) }))
    : conclude(outcome);
};

const refusalOf = (denied: Denied, needs: readonly HoldNeed[]): Refusal => {
  const { counter, reason, need, left, limit, resetMs } = denied;
  const unit = needs.find((each) => each.budget === counter.budget && each.limit === counter.limit)?.unit ?? 'cost';
  return refuseForBudget({
    reason,
    budget: counter.budget,
    limit: counter.limit,
    need: amountText(unit, need),
    left: amountText(unit, left),
    max: amountText(unit, limit),
    resetMs,
  });
};

const amountText = (unit: LimitUnit, amount: bigint): string => {
  switch (unit) {
    case 'cost':
      return `$${displayUsd(amount)}`;
    case 'tokens':
      return `${String(amount)} tokens`;
    case 'requests':
      return `${String(amount)} ${amount === 1n ? 'call' : 'calls'}`;
    default:
      return unit satisfies never;
  }
};

/** Faults of the ledger's side are answers to the caller: the call was not sent, and may be tried again. */
const faultOf = (error: unknown, needs: readonly HoldNeed[]): Refusal => {
  if (error instanceof LedgerUnavailable || error instanceof LedgerRefused) return unavailableRefusal(needs);
  if (error instanceof Error && 'code' in error && error.code === 'spool_fault') {
    return refuse(
      'ledger_backpressure',
      'the proxy cannot record calls now: the spool has no room, or its disk takes nothing; the call was not sent',
    );
  }
  if (error instanceof Error && error.name === 'AbortError')
    return refuse('caller_left', 'the caller left while the call waited for money; it was not sent');
  if (error instanceof EscrowClosed) return refuse('draining', 'this proxy is shutting down');
  throw error;
};
