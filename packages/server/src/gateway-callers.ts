/** Callers of a gateway: from a token that one of them has shown to whom it speaks for, and what the gateway is told. */
import type { Subject } from '@tollgate/api';
import type { CallerFault, CallerName, CallerReview } from '@tollgate/ledger';
import type { TokenFault, TokenReview } from './auth/token-review.ts';
import type { PodDirectory } from './operator/pod-directory.ts';

/**
 * Null: nobody can say now. `now`: milliseconds UTC. A token that is good for nothing but looking at what is spent is
 * one for another audience.
 */
export const callerReview = (review: TokenReview, now: number): CallerReview | null => {
  if (!review.ok)
    return review.reason === 'unavailable' ? null : { accepted: false, fault: FAULTS[review.reason] ?? 'invalid' };
  const { caller, validUntil, holdsUnasked = validUntil } = review;
  if (!caller.calls || caller.workload === null) return { accepted: false, fault: 'audience' };
  const validMs = Math.max(0, (validUntil ?? now) - now);
  return {
    accepted: true,
    caller: caller.workload,
    validMs,
    unaskedMs: Math.max(validMs, (holdsUnasked ?? now) - now),
  };
};

/** The rest is of no use to who means well, and tells a forger what to try next. */
const FAULTS: Readonly<Partial<Record<TokenFault, CallerFault>>> = { expired: 'expired', audience: 'audience' };

/**
 * As the operator knows the pod that the token is bound to, where it carries the proxy. Else the token is all that is
 * known: the account is the workload, and no label is believed.
 */
export const subjectOfCaller = (
  { namespace, serviceAccount, pod }: CallerName,
  pods: Pick<PodDirectory, 'subjectOf'> | null,
): Subject => {
  const known = pod === null ? null : (pods?.subjectOf(pod.uid) ?? null);
  if (known !== null && known.namespace === namespace && known.serviceAccount === serviceAccount) return known;
  return {
    namespace,
    workload: serviceAccount,
    workloadKind: 'ServiceAccount',
    serviceAccount,
    ...(pod === null ? {} : { pod: pod.name }),
    labels: {},
    team: namespace,
  };
};
