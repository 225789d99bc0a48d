/** What the proxy's pipeline says to the escrow, and what it hears. */
import type { LimitUnit, TokenCount } from '@tollgate/api';
import type { CounterName } from '../counter.ts';
import type { LedgerEvent, SettleKind } from '../event.ts';
import type { EventHead } from '../intent.ts';
import type { AcquireResult } from '../lease-port.ts';
import type { Lease } from './lease.ts';

export interface HoldNeed extends CounterName {
  readonly unit: LimitUnit;
  /** Which tokens, where they are the unit. */
  readonly count: TokenCount;
  readonly amount: bigint;
  /** The limit's maximum: for the size of leases, and to know what can never fit. */
  readonly max: bigint;
}

export type Denied = Extract<AcquireResult, { granted: false }>;

export interface HoldRequest {
  /** Hard: all of them or none. */
  readonly needs: readonly HoldNeed[];
  /** Decided as Hard would, never refused, never waited for. */
  readonly audit: readonly HoldNeed[];
  /** Charged at settlement; no lease. */
  readonly soft: readonly HoldNeed[];
  /** How long to wait for money that others hold. */
  readonly waitMs: number;
  readonly head: EventHead;
  /** Asked once, after a first no and before it is final. */
  readonly tighten?: (denied: Denied) => Promise<SmallerBound | null>;
  /** Asked once at most, while the attempt is open and others wait for its money. */
  readonly tightenOpen?: () => Promise<Tighter | null>;
  /** Aborted when the caller leaves. Asked for only where the call has to wait. */
  readonly signal?: () => AbortSignal;
}

/** What an attempt can cost at most after all. */
export interface SmallerBound {
  /** Nano-USD, for the whole attempt. */
  readonly held: bigint;
  /** Of Hard counters. */
  readonly needs: readonly HoldNeed[];
}

/** The same of one that was sent. */
export interface Tighter extends SmallerBound {
  /** The hold is now this small, on disk too: no more may be charged, so the caller settles by it. */
  readonly accepted: () => void;
}

export type HoldResult =
  { readonly held: true; readonly hold: Hold } | { readonly held: false; readonly denied: Denied };

/** One attempt's draw on its counters. Its owner settles it exactly once. */
export interface Hold {
  readonly seq: number;
  /** `held` as it was tightened last. */
  readonly head: EventHead;
  /** Audit counters that would have refused the call. */
  readonly wouldRefuse: readonly CounterName[];
  /** The needs as they were held at last: smaller than asked where they were tightened. */
  readonly needs: readonly HoldNeed[];
  /** Drawn on a budget's overdraft, since the ledger could not be asked. */
  readonly isOverdrawn: boolean;
}

/** A hold from inside: one leg a counter, Hard first, then Audit, then Soft. */
export interface OpenHold extends Hold {
  /** 0 until its intent is written. */
  seq: number;
  /** Fulfilled once its intent is on disk; nobody is given the hold before. Null: it is. */
  readonly written: Promise<void> | null;
  head: EventHead;
  needs: readonly HoldNeed[];
  legs: readonly HoldLeg[];
  /** Undefined once it is settled. */
  tightenOpen: HoldRequest['tightenOpen'];
  settled: boolean;
}

/** As soon as its intent is on disk, and no sooner. */
export const handOut = (hold: OpenHold): HoldResult | Promise<HoldResult> =>
  hold.written === null ? { held: true, hold } : hold.written.then(() => ({ held: true, hold }));

/** Every hold that an escrow gives is one. */
export const isOpenHold = (hold: Hold): hold is OpenHold => 'legs' in hold && 'settled' in hold;

export interface HoldLeg {
  readonly need: HoldNeed;
  /** Null: charged without a lease; the ledger picks the window when the event arrives. */
  readonly lease: Lease | null;
  readonly wouldRefuse: boolean;
}

type LateFields = 'modelAnswered' | 'usage' | 'status';
/** Known before, and better known after. */
type CorrectedFields =
  'backend' | 'route' | 'modelSent' | 'priceVersion' | 'priceRow' | 'unproven' | 'stream' | 'endedAt' | 'firstByteAt';

export interface Settlement extends Pick<LedgerEvent, LateFields>, Partial<Pick<LedgerEvent, CorrectedFields>> {
  readonly settle: SettleKind;
  /** Nano-USD for the whole attempt. */
  readonly charged: bigint;
  /** What this counter is charged, in its own unit. */
  readonly counterCharge: (need: HoldNeed) => bigint;
}
