/**
 * The life of one call as data. Each stage of the pipeline fills in its own part and edits no other's; a part that is
 * not there yet is null. One object a call, with a fixed shape, since this is the metered path.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NanoUsd, PriceRow } from '@tollgate/metering';
import type { Envelope, ErrorShape, FormatId, Provider } from '@tollgate/providers';
import type { SnapshotBackend, SnapshotRoute, SnapshotRule } from '@tollgate/api';
import type { CallPolicy, PolicyBook } from './policy/call-policy.ts';
import type { PolicySource } from './policy/policy-feed.ts';
import type { Refusal } from './refusal.ts';

/** What the path of a metered call says. */
export interface Destination {
  readonly provider: Provider;
  readonly format: FormatId;
  readonly shape: ErrorShape;
  /** Path and query to send upstream, below the provider's base URL. */
  readonly upstreamPath: string;
  /** From the path (Gemini's model, Azure's deployment), else null. */
  readonly modelInPath: string | null;
  readonly streamInPath: boolean;
}

/** What the path of a call that is not metered says: known to be free, or unknown. */
export interface PassedFate {
  readonly provider: Provider;
  readonly upstreamPath: string;
  readonly isFree: boolean;
}

/** One backend that the call may go to, ready to dial. */
export interface Candidate {
  readonly route: SnapshotRoute | null;
  readonly rule: SnapshotRule | null;
  readonly backend: SnapshotBackend | null;
  readonly provider: Provider;
  readonly origin: string;
  /** Origin-relative path, base path included. */
  readonly path: string;
  readonly modelSent: string | null;
  /** The provider id of the price table; null = a host that no table prices. */
  readonly pricedAs: string | null;
  readonly price: PriceRow | null;
  readonly priceVersion: string | null;
  /** The field that this backend reads an output cap from. */
  readonly outputCapField: 'max_tokens' | 'max_completion_tokens' | undefined;
}

export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly requestId: string;
  /** Milliseconds by the wall clock: for reports only. */
  readonly startedAt: number;
  /** The error shape a refusal is rendered in; set by `identify`, OpenAI's until then. */
  shape: ErrorShape;
  destination: Destination | null;
  /** Set instead of the destination where the call is not metered. */
  passed: PassedFate | null;
  /** By which the caller of a gateway is judged; null in a sidecar, where all callers are one. */
  callerPolicy: PolicySource | null;
  body: Buffer | null;
  envelope: Envelope | null;
  model: string | null;
  stream: boolean;
  /** The snapshot's policy that this call was routed by: a newer one does not change a call under way. */
  book: PolicyBook | null;
  policy: CallPolicy | null;
  candidates: readonly Candidate[];
  callerGone: boolean;
  /** Said in the answer: the call was admitted though not all is well. */
  degraded: string | null;
  /** Nano-USD of the tries that have ended. */
  charged: NanoUsd;
}

/** `undefined`: go on. `'answered'`: the answer is on its way, stop. A refusal: stop and say so. */
export type Outcome = Refusal | 'answered' | undefined;
export type Stage = (exchange: Exchange) => Outcome | Promise<Outcome>;

export const makeExchange = (
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  startedAt: number,
): Exchange => ({
  req,
  res,
  requestId,
  startedAt,
  shape: 'openai',
  destination: null,
  passed: null,
  callerPolicy: null,
  body: null,
  envelope: null,
  model: null,
  stream: false,
  book: null,
  policy: null,
  candidates: [],
  callerGone: false,
  degraded: null,
  charged: 0n,
});
