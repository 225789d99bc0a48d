/** Which tokens a server takes, from its settings. */
import {
  adminToken,
  bearerToken,
  firstOf,
  signedToken,
  signingKeys,
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
}

export interface SignedTokenSettings extends Pick<SignedTokenDeps, 'issuer' | 'ledgerAudience' | 'managementAudience'> {
  /** A JWKS: a file, or an https URL. */
  readonly keys: string;
}

export interface ReviewerDeps {
  readonly tokens: TokenSettings;
  readonly systemNamespace: string;
  /** Milliseconds UTC. */
  readonly now: () => number;
}

/** Throws where the signing keys cannot be read. */
export const reviewerFrom = ({ tokens, systemNamespace, now }: ReviewerDeps): TokenReviewer => {
  const { shared, admin, signed } = tokens;
  return firstOf([
    ...(shared === null ? [] : [bearerToken(shared)]),
    ...(admin === null ? [] : [adminToken(admin)]),
    ...(signed === null
      ? []
      : [signedToken({ ...signed, keys: readKeys(signed.keys, now), systemNamespace, clock: now })]),
  ]);
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
