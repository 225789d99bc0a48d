/**
 * Tokens of ServiceAccounts, as the cluster's API server vouches for them (TokenReview, authentication.k8s.io/v1). It also
 * knows what a signature cannot: that the pod or the account that a token is bound to is gone.
 */
import { z } from 'zod';
import type { Logger } from '@tollgate/runtime';
import { callerFor, type CallerRules } from './caller-for.ts';
import type { KubernetesApi } from './kubernetes-api.ts';
import type { TokenReview, TokenReviewer } from './token-review.ts';

export interface KubernetesTokenReviewDeps extends CallerRules {
  readonly api: Pick<KubernetesApi, 'post'>;
  /** Of proxies: lease and report. */
  readonly ledgerAudience: string;
  /** Of the operator, and of people and scripts. */
  readonly managementAudience: string;
  /** Milliseconds UTC. */
  readonly clock: () => number;
  readonly logger: Logger;
}

/** How long what the API server said of a token holds: a pod that is gone is one a minute later. */
const REMEMBERED_MS = 60_000;
/** How long it holds while the API server cannot be asked again, but never beyond the token's own end. */
const UNASKED_MS = 900_000;
/** Under way at once; more than that is no cluster of ours, and is told to come again. */
const MOST_ASKED = 256;
/** Between two lines that the API server is away. */
const TELL_EVERY_MS = 30_000;

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';
const POD_NAME = 'authentication.kubernetes.io/pod-name';
const POD_UID = 'authentication.kubernetes.io/pod-uid';

const Answer = z.object({
  status: z.object({
    authenticated: z.boolean().optional(),
    audiences: z.array(z.string()).optional(),
    user: z
      .object({
        username: z.string().optional(),
        extra: z.record(z.string(), z.array(z.string())).optional(),
      })
      .optional(),
  }),
});
type Status = z.output<typeof Answer>['status'];

const USERNAME = /^system:serviceaccount:([^:]{1,63}):([^:]{1,253})$/;

export const kubernetesTokenReview = (deps: KubernetesTokenReviewDeps): TokenReviewer => {
  const { api, ledgerAudience, managementAudience, clock, logger } = deps;
  const underWay = new Map<string, Promise<TokenReview>>();
  let toldAt = -Infinity;

  const ask = async (token: string): Promise<TokenReview> => {
    const audiences = [ledgerAudience, managementAudience];
    try {
      const answer = await api.post(PATH, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences },
      });
      const parsed = Answer.safeParse(answer);
      if (!parsed.success) throw new Error('the answer is no TokenReview');
      return reviewOf(parsed.data.status, endOf(token), deps);
    } catch (err) {
      if (clock() - toldAt >= TELL_EVERY_MS) {
        toldAt = clock();
        logger.warn({ err }, 'tokens cannot be reviewed by the API server for now');
      }
      return { ok: false, reason: 'unavailable' };
    }
  };

  return (token) => {
    const end = endOf(token);
    // No JWT at all: another reviewer may know it. One that is over, or none of ours, needs no question.
    if (end === null) return Promise.resolve({ ok: false, reason: 'unknown' });
    if (end <= clock()) return Promise.resolve({ ok: false, reason: 'expired' });
    if (!isMeantFor(token, [ledgerAudience, managementAudience]))
      return Promise.resolve({ ok: false, reason: 'audience' });
    const asked = underWay.get(token);
    if (asked) return asked;
    if (underWay.size >= MOST_ASKED) return Promise.resolve({ ok: false, reason: 'unavailable' });
    const review = ask(token).finally(() => underWay.delete(token));
    underWay.set(token, review);
    return review;
  };
};

const reviewOf = (
  { authenticated, audiences = [], user }: Status,
  end: number | null,
  { ledgerAudience, managementAudience, clock, ...rules }: KubernetesTokenReviewDeps,
): TokenReview => {
  if (authenticated !== true) return { ok: false, reason: 'signature' };
  // An authenticator that knows nothing of audiences names none: such a token was made for the API server itself.
  const ledger = audiences.includes(ledgerAudience);
  const management = audiences.includes(managementAudience);
  if (!ledger && !management) return { ok: false, reason: 'audience' };
  const [, namespace, serviceAccount] = USERNAME.exec(user?.username ?? '') ?? [];
  if (namespace === undefined || serviceAccount === undefined) return { ok: false, reason: 'claims' };
  const name = user?.extra?.[POD_NAME]?.[0];
  const uid = user?.extra?.[POD_UID]?.[0];
  // Half a pod is nothing that the API server says, and must not pass for no pod at all.
  if ((name === undefined) !== (uid === undefined)) return { ok: false, reason: 'claims' };
  const pod = name === undefined || uid === undefined ? null : { name, uid };
  const caller = callerFor({ workload: { namespace, serviceAccount, pod }, audiences: { ledger, management } }, rules);
  const now = clock();
  const until = end ?? now;
  return {
    ok: true,
    caller,
    validUntil: Math.min(until, now + REMEMBERED_MS),
    holdsUnasked: Math.min(until, now + UNASKED_MS),
  };
};

/** Nothing is believed of these claims but when there is no point in asking. */
const Claims = z.object({ exp: z.number(), aud: z.union([z.string(), z.array(z.string())]).optional() });

const claimsOf = (token: string): z.output<typeof Claims> | null => {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token)?.[1];
  if (payload === undefined) return null;
  try {
    const parsed = Claims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
};

/** Milliseconds UTC; null: no such token. */
const endOf = (token: string): number | null => {
  const claims = claimsOf(token);
  return claims === null ? null : Math.floor(claims.exp * 1000);
};

const isMeantFor = (token: string, audiences: readonly string[]): boolean => {
  const { aud = [] } = claimsOf(token) ?? {};
  return [aud].flat().some((each) => audiences.includes(each));
};
