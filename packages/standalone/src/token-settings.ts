/** Which tokens a server takes, from its settings. */
import type { Logger } from '@tollgate/runtime';
import {
  adminToken,
  bearerToken,
  firstOf,
  kubernetesTokenReview,
  makeKubernetesApi,
  signedToken,
  signingKeys,
  type ServiceAccountName,
  type SignedTokenDeps,
  type TokenReviewer,
} from '@tollgate/server';
import { errorMessage } from './error-code.ts';
import { StandaloneError } from './standalone-error.ts';

export interface TokenSettings {
  /** One for proxies and people alike, who are believed what they say of themselves. */
  readonly shared: string | null;
  /** For people who look after the installation. */
  readonly admin: string | null;
  readonly signed: SignedTokenSettings | null;
  /** Tokens that the API server of a cluster vouches for. */
  readonly kubernetes: KubernetesTokenSettings | null;
}

export interface KubernetesTokenSettings {
  /** The API server: `https://host:port`. */
  readonly url: string;
  /** Our own ServiceAccount's, replaced by the kubelet now and then. */
  readonly tokenFile: string;
  readonly caFile: string;
  readonly ledgerAudience: string;
  readonly managementAudience: string;
}

export interface SignedTokenSettings extends Pick<SignedTokenDeps, 'issuer' | 'ledgerAudience' | 'managementAudience'> {
  /** A JWKS: a file, or an https URL. */
  readonly keys: string;
}

export interface ReviewerDeps {
  readonly tokens: TokenSettings;
  readonly systemNamespace: string;
  /** Who may tell what holds; null: nobody. */
  readonly operator: ServiceAccountName | null;
  /** Milliseconds UTC. */
  readonly now: () => number;
  readonly log: Logger;
}

/** Throws where the signing keys, or the authority of the API server, cannot be read. */
export const reviewerFrom = ({ tokens, systemNamespace, operator, now, log }: ReviewerDeps): TokenReviewer => {
  const { shared, admin, signed, kubernetes } = tokens;
  const rules = { systemNamespace, operator, clock: now };
  return firstOf([
    ...(shared === null ? [] : [bearerToken(shared)]),
    ...(admin === null ? [] : [adminToken(admin)]),
    ...(signed === null ? [] : [signedToken({ ...signed, ...rules, keys: readKeys(signed.keys, now) })]),
    ...(kubernetes === null
      ? []
      : [kubernetesTokenReview({ ...kubernetes, ...rules, api: openApi(kubernetes), logger: log })]),
  ]);
};

/** A lease is waited for 3 s, and asked again within: a review that takes longer is of no use to it. */
const REVIEW_MS = 2_000;

const openApi = (settings: KubernetesTokenSettings): ReturnType<typeof makeKubernetesApi> => {
  try {
    return makeKubernetesApi({ ...settings, timeoutMs: REVIEW_MS });
  } catch (cause) {
    throw new StandaloneError('config', `the API server's authority cannot be read: ${errorMessage(cause)}`, {
      todo: 'run in a pod with its ServiceAccount token mounted, or set TOLLGATE_KUBERNETES_CA_FILE',
      cause,
    });
  }
};

const readKeys = (source: string, now: () => number): SignedTokenDeps['keys'] => {
  try {
    return signingKeys(source, now);
  } catch (cause) {
    throw new StandaloneError('config', `the signing keys cannot be used: ${errorMessage(cause)}`, {
      todo: 'name a JWKS file or an https URL in TOLLGATE_TOKEN_KEYS',
      cause,
    });
  }
};
