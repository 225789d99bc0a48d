/**
 * Who is this token? Adapters: one static token (a laptop), signed tokens (`signed-token.ts`), and in a cluster the API
 * server's TokenReview. A "no" is a value with its reason, which is counted and never told to the asker.
 */
export type TokenReviewer = (token: string) => Promise<TokenReview>;

export type TokenReview =
  | {
      readonly ok: true;
      readonly caller: Caller;
      /** Milliseconds UTC; null where nothing is gained by remembering. */
      readonly validUntil: number | null;
      /** Milliseconds UTC: how long the answer holds while nobody can be asked again; absent: no longer than that. */
      readonly holdsUnasked?: number;
    }
  | { readonly ok: false; readonly reason: TokenFault };

export type TokenFault =
  | 'missing'
  | 'malformed'
  | 'unknown'
  | 'expired'
  | 'not_yet_valid'
  | 'audience'
  | 'issuer'
  | 'signature'
  | 'algorithm'
  | 'key'
  | 'claims'
  /** The keys, or the API server, cannot be reached: nothing is known of the token. */
  | 'unavailable';

export interface Caller {
  /** The same for every token of one identity. */
  readonly name: string;
  /** Null: not bound to a workload; what it says of itself is believed. */
  readonly workload: WorkloadIdentity | null;
  /** May it lease and report? */
  readonly ledger: boolean;
  /** May it call providers through a gateway? */
  readonly calls: boolean;
  /** What it may see: nothing, its own namespace, or all. */
  readonly management: 'none' | 'namespace' | 'all';
  /** May it say which resources hold, and which pods carry the proxy? */
  readonly isOperator: boolean;
}

/** As in the claims of a Kubernetes token that is bound to a pod. */
export interface WorkloadIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly pod: { readonly name: string; readonly uid: string } | null;
}

/** The first that knows the token decides; where none does, the last one's reason stands. */
export const firstOf =
  (reviewers: readonly TokenReviewer[]): TokenReviewer =>
  async (token) => {
    let review: TokenReview = { ok: false, reason: 'unknown' };
    for (const ask of reviewers) {
      review = await ask(token);
      if (review.ok || review.reason !== 'unknown') return review;
    }
    return review;
  };
