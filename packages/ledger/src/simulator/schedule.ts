/**
 * A run as data: who takes part, which budgets bind, and every call and fault with its moment. A seed makes one
 * (`plan.ts`), a run plays it (`play.ts`), and a failing one can be shortened by leaving actions out (`shorten.ts`).
 * Amounts are plain numbers here, so that a schedule is JSON as it stands.
 */
import type { LimitUnit } from '@tollgate/api';

export interface Schedule {
  /** What the actions do not fix is drawn from streams of this number: delays on the way, jitter. */
  readonly seed: number;
  readonly proxies: number;
  readonly servers: number;
  /** Virtual milliseconds of calls and faults; then all is healed and everybody goes home. */
  readonly lastsMs: number;
  readonly limits: readonly PlannedLimit[];
  readonly actions: readonly Action[];
}

export interface PlannedLimit {
  readonly budget: string;
  readonly limit: string;
  readonly unit: LimitUnit;
  readonly max: number;
  /** Null: Total. Of a sliding limit, one bucket. */
  readonly windowMs: number | null;
  /** Sliding only. */
  readonly buckets: number | null;
  readonly isPartitioned: boolean;
}

export type Action = CallAction | FaultAction;

export interface CallAction extends CallPlan {
  readonly kind: 'call';
  readonly at: number;
  readonly proxy: number;
}

/** One call as its caller and its provider mean it, whatever becomes of it on the way. */
export interface CallPlan {
  /** Which limits bind it, by their place in the schedule. */
  readonly limits: readonly number[];
  readonly partition: string;
  /** The bound of its hold: nano-USD, and tokens. */
  readonly nanos: number;
  readonly tokens: number;
  /** Thousandths of the bound that an exact count comes to, asked for where money is short; null: nobody can count it. */
  readonly tight: number | null;
  /** Soft: charged without a lease. */
  readonly isSoft: boolean;
  readonly waitMs: number;
  readonly ending: Ending;
  /** Thousandths of the bound that the provider bills; above 1,000 the hold was not sound. */
  readonly share: number;
  /** From the hold to the bill, and from the bill to the end. */
  readonly billedAfterMs: number;
  readonly endsAfterMs: number;
}

export type Ending = 'usage' | 'unknown' | 'abandoned' | 'void';

export type FaultAction = { readonly at: number } & FaultEffect;

/** `forMs` and `downMs` are how long it lasts. */
export type FaultEffect =
  | { readonly kind: 'kill'; readonly proxy: number; readonly downMs: number }
  | {
      readonly kind: 'kill-at-record';
      readonly proxy: number;
      /** Counted from the moment of the action. */
      readonly record: number;
      readonly when: 'before' | 'torn' | 'after';
      readonly downMs: number;
    }
  | { readonly kind: 'disk-full'; readonly proxy: number; readonly forMs: number }
  | { readonly kind: 'lose-node'; readonly proxy: number; readonly downMs: number }
  | { readonly kind: 'pause-proxy'; readonly proxy: number; readonly forMs: number }
  | { readonly kind: 'lose-replies'; readonly proxy: number; readonly replies: number }
  | { readonly kind: 'partition'; readonly proxy: number; readonly way: 'to' | 'from' | 'both'; readonly forMs: number }
  | { readonly kind: 'duplicates'; readonly forMs: number }
  | { readonly kind: 'kill-server'; readonly server: number; readonly downMs: number }
  | { readonly kind: 'restart-server'; readonly server: number; readonly downMs: number }
  | { readonly kind: 'kill-server-at-block'; readonly server: number; readonly downMs: number }
  | { readonly kind: 'stop-postgres'; readonly forMs: number }
  | { readonly kind: 'lose-commit-answers'; readonly answers: number }
  | { readonly kind: 'slow-postgres'; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: 'empty-redis'; readonly downMs: number }
  | { readonly kind: 'flush-redis' }
  /** The copy is as old as `ageMs` when it takes over, which is that much after the action. */
  | { readonly kind: 'stale-redis'; readonly ageMs: number; readonly downMs: number }
  | { readonly kind: 'promote-replica'; readonly ageMs: number }
  | { readonly kind: 'flap-redis'; readonly ageMs: number }
  | { readonly kind: 'edit-redis'; readonly pick: number; readonly amount: number }
  | { readonly kind: 'pause-redis'; readonly forMs: number }
  | { readonly kind: 'slow-redis'; readonly forMs: number; readonly delayMs: number }
  | { readonly kind: 'cut-off-redis'; readonly server: number; readonly forMs: number }
  | { readonly kind: 'lose-redis-answers'; readonly answers: number }
  | { readonly kind: 'split-redis'; readonly ageMs: number; readonly forMs: number }
  | {
      readonly kind: 'jump-clock';
      readonly party: 'proxy' | 'server' | 'redis';
      readonly index: number;
      readonly byMs: number;
    }
  | { readonly kind: 'rush'; readonly seed: number; readonly calls: number; readonly spreadMs: number }
  | { readonly kind: 'crowd'; readonly seed: number; readonly joins: number; readonly stayMs: number }
  | { readonly kind: 'change-limit'; readonly limit: number; readonly max: number | null };

export type FaultKind = FaultAction['kind'];
