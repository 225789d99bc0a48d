import type { Snapshot, Subject } from '@tollgate/api';
import type { CounterName } from './counter.ts';
import type { LedgerEvent } from './event.ts';

/** What a proxy and its server say to each other besides leases. Field names are those of the wire. */
export const LEDGER_CONTRACT = 1;

export interface HelloRequest {
  readonly contract: typeof LEDGER_CONTRACT;
  readonly instance: string;
  readonly version: string;
  /** The version of the pool's functions that it calls itself; absent where it leases over HTTP alone. */
  readonly library?: string;
  readonly subject: Subject;
  /** What is wrong around it now; absent = nothing. Said anew, by another hello, whenever it changes. */
  readonly degraded?: readonly DegradedReason[];
  /** The version of the snapshot that it runs; absent before the first. */
  readonly snapshot?: string;
  /** Absent: it does not look, or has not yet. */
  readonly direct?: readonly DirectConnections[];
}

/** Connections of the other containers of its pod to a provider past the proxy, as found of late. */
export interface DirectConnections {
  /** A host's name, never a path. */
  readonly host: string;
  readonly count: number;
}

/** What a proxy runs now, said whenever it changes: a server knows what it sent, and not what was understood. */
export interface RunningRequest {
  readonly instance: string;
  /** The version of its snapshot. */
  readonly snapshot: string;
  /** As in {@link HelloRequest}; said anew whenever the hosts are others. */
  readonly direct?: readonly DirectConnections[];
  /** Of a gateway: all whose policies it follows. Absent: it says nothing of them, and what it said before stands. */
  readonly callers?: readonly FollowedPolicy[];
}

/** What a gateway decides by when this caller calls. */
export interface FollowedPolicy {
  readonly caller: CallerName;
  /** The version. */
  readonly snapshot: string;
}

/**
 * As the code of a refused hello: the pod that the token is bound to is not among those that carry the proxy, or not yet,
 * since the control plane hears of a new pod a moment after it starts. To be asked again.
 */
export const UNKNOWN_POD = 'unknown_pod';

/** What can be wrong with the world around a proxy. */
export const DEGRADED_REASONS = [
  /** A call waited for a lease in vain; calls go on while leases in hand last. */
  'ledger_unreachable',
  /** The same, and calls are paid from an overdraft. */
  'overdraft',
  /** The policy may be out of date: the control plane was not heard of for too long. */
  'policy_stale',
  /** The spool is at its bound, its disk takes nothing, or its folder is gone: calls could not be recorded. */
  'spool_full',
  'spool_disk',
  'spool_lost',
  /** Part of what an earlier life wrote could not be read: what it took stays charged. */
  'spool_damaged',
] as const;

export type DegradedReason = (typeof DEGRADED_REASONS)[number];

export interface HelloReply {
  readonly organisation: string;
  /** The epoch that leases come from now. */
  readonly epoch: string;
  /** The subject as the server knows it: what the proxy claims is checked there. */
  readonly subject: Subject;
  readonly liveProxies: number;
  readonly ledgerTimeMs: number;
}

/** Who showed a token to a gateway, by the token alone. */
export interface CallerName {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Null: the token is bound to no pod, as one of `kubectl create token`. */
  readonly pod: { readonly name: string; readonly uid: string } | null;
}

/** Why a caller's token is none: what the caller may be told of it. */
export const CALLER_FAULTS = ['expired', 'audience', 'invalid'] as const;
export type CallerFault = (typeof CALLER_FAULTS)[number];

/** What a server says of a caller's token; only a gateway may ask. Milliseconds from now, since clocks differ. */
export type CallerReview =
  | {
      readonly accepted: true;
      readonly caller: CallerName;
      /** The answer is to be asked for anew after that. */
      readonly validMs: number;
      /** So long it holds while nobody can be asked anew; never beyond the token's own end. */
      readonly unaskedMs: number;
    }
  | { readonly accepted: false; readonly fault: CallerFault };

export interface EventsRequest {
  readonly instance: string;
  readonly events: readonly LedgerEvent[];
}

export interface EventsReply {
  readonly ack: number;
}

/**
 * As the epoch of a close: every one that the instance was ever let into, also those whose welcome it never heard. It is
 * over then: nobody says hello or leases under its name again.
 */
export const ANY_EPOCH = '';

/** The instance holds nothing of the epoch any more, and all its events up to `lastSeq` are delivered. */
export interface CloseRequest {
  readonly instance: string;
  /** Or `ANY_EPOCH`. */
  readonly epoch: string;
  readonly lastSeq: number;
}

/** One line of the snapshot stream. `recall`: others wait for these counters; give back what is not held. */
export type StreamLine =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly kind: 'ping'; readonly epoch: string | null }
  | { readonly kind: 'recall'; readonly counters: readonly CounterName[] };
