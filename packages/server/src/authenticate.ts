import { createHash, timingSafeEqual } from 'node:crypto';

/** Who is calling. A cluster's adapter asks TokenReview; standalone has one token a run. */
export type Authenticate = (authorization: string | undefined) => Promise<Caller | null>;

export interface Caller {
  readonly name: string;
}

/** One token for everyone, compared in constant time whatever its length: digests are always equally long. */
export const bearerToken = (token: string): Authenticate => {
  const expected = digest(token);
  return (authorization) => {
    const given = /^Bearer ([\x21-\x7e]{1,4096})$/.exec(authorization ?? '')?.[1] ?? '';
    return Promise.resolve(timingSafeEqual(digest(given), expected) && given !== '' ? { name: 'token' } : null);
  };
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
