/**
 * Tokens signed by a known issuer, with the claims of Kubernetes' bound ServiceAccount tokens. RS256 and ES256 only, so
 * that neither `none` nor a public key taken for an HMAC secret gets anywhere. Verified whole before any claim is looked at.
 */
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { callerFor, type CallerRules } from './caller-for.ts';
import type { TokenFault, TokenReview, TokenReviewer } from './token-review.ts';

export interface SignedTokenDeps extends CallerRules {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  /** Of proxies: lease and report. */
  readonly ledgerAudience: string;
  /** Of people and scripts: look at what their namespace spends. */
  readonly managementAudience: string;
  /** Milliseconds UTC. */
  readonly clock: () => number;
}

const ALGORITHMS = ['RS256', 'ES256'];
/** An issuer's clock may be ahead of ours. An end is never stretched: proxies renew their token long before it. */
const LEEWAY_S = 5;

const Name = z.string().min(1).max(253);
const Claims = z.object({
  exp: z.number(),
  aud: z.union([z.string(), z.array(z.string())]),
  'kubernetes.io': z.object({
    namespace: Name,
    serviceaccount: z.object({ name: Name }),
    pod: z.object({ name: Name, uid: z.string().min(1).max(128) }).optional(),
  }),
});

export const signedToken =
  (deps: SignedTokenDeps): TokenReviewer =>
  async (token) => {
    if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return { ok: false, reason: 'unknown' };
    const { keys, issuer, ledgerAudience, managementAudience, clock } = deps;
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer,
        audience: [ledgerAudience, managementAudience],
        requiredClaims: ['exp'],
        clockTolerance: LEEWAY_S,
        currentDate: new Date(clock()),
      });
      return reviewClaims(payload, deps);
    } catch (error) {
      return { ok: false, reason: faultOf(error) };
    }
  };

const reviewClaims = (payload: unknown, deps: SignedTokenDeps): TokenReview => {
  const parsed = Claims.safeParse(payload);
  if (!parsed.success) return { ok: false, reason: 'claims' };
  const { exp, aud, 'kubernetes.io': bound } = parsed.data;
  const validUntil = Math.floor(exp * 1000);
  if (validUntil <= deps.clock()) return { ok: false, reason: 'expired' };
  const audiences = typeof aud === 'string' ? [aud] : aud;
  const ledger = audiences.includes(deps.ledgerAudience);
  const management = audiences.includes(deps.managementAudience);
  const workload = { namespace: bound.namespace, serviceAccount: bound.serviceaccount.name, pod: bound.pod ?? null };
  return { ok: true, caller: callerFor({ workload, audiences: { ledger, management } }, deps), validUntil };
};

const faultOf = (error: unknown): TokenFault => {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIM_FAULTS[error.claim] ?? 'claims';
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) return 'algorithm';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return 'key';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  // Left are the ways in which the keys cannot be had.
  return 'unavailable';
};

const CLAIM_FAULTS: Readonly<Record<string, TokenFault>> = { aud: 'audience', iss: 'issuer', nbf: 'not_yet_valid' };
