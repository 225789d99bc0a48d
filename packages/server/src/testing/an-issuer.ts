import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { START } from '@tollgate/ledger/contract';

/** An issuer of tokens as the API server's: signed, bound to a pod, with whatever the test says is different. */
export interface Issuer {
  /** As a JWKS file holds it. */
  readonly keySet: { readonly keys: readonly object[] };
  readonly name: string;
  token(part?: TokenPart): Promise<string>;
}

export interface TokenPart {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  readonly pod?: { readonly name: string; readonly uid: string } | null;
  readonly audience?: string | string[];
  readonly issuer?: string;
  readonly kid?: string;
  /** Milliseconds UTC. */
  readonly expiresAt?: number;
  readonly notBefore?: number;
  readonly payload?: JWTPayload;
  readonly key?: CryptoKey;
}

export const ISSUER = 'https://issuer.test';
/** The time that tokens are made for. */
export const ISSUED = START;

export const makeIssuer = async (algorithm: 'ES256' | 'RS256' = 'ES256', kid = 'key-1'): Promise<Issuer> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    name: ISSUER,
    keySet: { keys: [{ ...jwk, kid, alg: algorithm, use: 'sig' }] },
    token: (part = {}) => {
      const pod = part.pod === undefined ? { name: 'web-7d4b9c-x2x4z', uid: 'uid-1' } : part.pod;
      const bound = {
        namespace: part.namespace ?? 'shop',
        serviceaccount: { name: part.serviceAccount ?? 'web', uid: 'uid-sa' },
        ...(pod ? { pod } : {}),
      };
      return new SignJWT({ 'kubernetes.io': bound, ...part.payload })
        .setProtectedHeader({ alg: algorithm, kid: part.kid ?? kid })
        .setIssuer(part.issuer ?? ISSUER)
        .setAudience(part.audience ?? 'tollgate')
        .setNotBefore((part.notBefore ?? ISSUED) / 1000)
        .setExpirationTime((part.expiresAt ?? ISSUED + 600_000) / 1000)
        .sign(part.key ?? privateKey);
    },
  };
};
