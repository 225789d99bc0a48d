import type { CounterName, CounterWindow } from './counter.ts';

/**
 * Where a proxy's leases come from. Adapters: `http` (every proxy), `memory` (the server's own pool), later `redis`.
 * All amounts are integers in the counter's unit (nano-USD, tokens, calls).
 *
 * An acquisition is all or none over its counters, and idempotent by (instance, seq): a lost reply costs nothing, the
 * same seq returns the same grant. A "no" is a value; an unreachable ledger is a thrown `LedgerUnavailable`.
 */
export interface LeasePort {
  acquire(request: AcquireRequest): Promise<AcquireResult>;
  giveBack(request: GiveBackRequest): Promise<void>;
}

export interface Need extends CounterName {
  /** Without this much the call cannot go on. */
  readonly need: bigint;
  /** Ahead of need: granted where the pool is rich enough. At least `need`. */
  readonly prefer: bigint;
}

export interface AcquireRequest {
  readonly instance: string;
  /** Rises by one per acquisition of this instance, starting at 1. */
  readonly seq: number;
  readonly needs: readonly Need[];
}

export interface Grant extends CounterName {
  readonly leaseId: string;
  /** The epoch whose blocks this comes from. */
  readonly epoch: string;
  readonly window: CounterWindow;
  /** Milliseconds of the window still to come, by the ledger's clock; null for Total. The owner counts them down by
   * its monotonic clock and drops the lease at zero; nobody else ever regrants it. */
  readonly remainingMs: number | null;
  readonly amount: bigint;
  /** What the counter has left beyond this grant, as the ledger last knew: for display and for the output cap. */
  readonly left: bigint;
}

/** `neverFits`: need > limit. `exhausted`: settled + need > limit. `held`: the money is held by others: wait. */
export type DenyReason = 'neverFits' | 'exhausted' | 'held';

export type AcquireResult =
  | { readonly granted: true; readonly grants: readonly Grant[] }
  | {
      readonly granted: false;
      readonly reason: DenyReason;
      readonly counter: CounterName;
      readonly need: bigint;
      readonly limit: bigint;
      /** limit − settled: what would be left if nothing were held. */
      readonly left: bigint;
      /** Milliseconds to the window's end; null for Total. */
      readonly resetMs: number | null;
    };

export interface GiveBackRequest {
  readonly instance: string;
  readonly seq: number;
  readonly returns: readonly (CounterName & {
    readonly leaseId: string;
    readonly windowId: string;
    readonly epoch: string;
    readonly amount: bigint;
  })[];
}

/** The ledger did not answer, or not in time: the call may be retried, nothing is known to have changed. */
export class LedgerUnavailable extends Error {
  readonly code = 'ledger_unavailable';
}
