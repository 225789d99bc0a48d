/** The public keys that tokens are signed with: a JWKS in a file, which may be replaced, or behind an https URL. */
import { readFileSync } from 'node:fs';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

/** A key that nobody knows makes us look again, though not more often than this. */
const LOOK_AGAIN_MS = 10_000;
const FETCH_MS = 3_000;

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** Throws where the file holds no keys, or the address is not one of https. */
export const signingKeys = (source: string, clock: () => number): JWTVerifyGetKey =>
  /^[a-z]+:\/\//i.test(source) ? keysAt(source) : keysIn(source, clock);

const keysAt = (source: string): JWTVerifyGetKey => {
  const url = URL.parse(source);
  if (url?.protocol !== 'https:') throw new Error('signing keys are fetched by https only');
  return createRemoteJWKSet(url, { timeoutDuration: FETCH_MS, cooldownDuration: LOOK_AGAIN_MS });
};

const keysIn = (file: string, clock: () => number): JWTVerifyGetKey => {
  const read = (): JWTVerifyGetKey => createLocalJWKSet(keySetOf(file));
  let keys = read();
  let readAt = clock();
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || clock() - readAt < LOOK_AGAIN_MS) throw error;
      readAt = clock();
      keys = read();
      return keys(header, token);
    }
  };
};

const keySetOf = (file: string): JSONWebKeySet => {
  try {
    return KeySet.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(`${file} holds no JSON Web Key Set`, { cause });
  }
};
