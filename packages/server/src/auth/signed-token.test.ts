import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { ISSUED, ISSUER, makeIssuer, type Issuer, type TokenPart } from '../testing/an-issuer.ts';
import { signedToken } from './signed-token.ts';
import { signingKeys } from './signing-keys.ts';
import type { TokenReviewer } from './token-review.ts';

const reviewerOf = (keys: JWTVerifyGetKey, clock: () => number = () => ISSUED): TokenReviewer =>
  signedToken({
    keys,
    issuer: ISSUER,
    ledgerAudience: 'tollgate',
    managementAudience: 'tollgate-management',
    systemNamespace: 'tollgate-system',
    operator: null,
    clock,
  });
const keysOf = (issuer: Issuer): JWTVerifyGetKey => createLocalJWKSet({ keys: issuer.keySet.keys as never });
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a signed token', () => {
  let issuer: Issuer;
  let review: TokenReviewer;
  beforeAll(async () => {
    issuer = await makeIssuer();
    review = reviewerOf(keysOf(issuer));
  });

  it.each(['ES256', 'RS256'] as const)('is accepted by its signature (%s), and says who it speaks for', async (alg) => {
    const own = await makeIssuer(alg);
    expect(await reviewerOf(keysOf(own))(await own.token())).toEqual({
      ok: true,
      caller: {
        name: 'shop/web/web-7d4b9c-x2x4z',
        workload: {
          namespace: 'shop',
          serviceAccount: 'web',
          pod: { name: 'web-7d4b9c-x2x4z', uid: 'uid-1' },
        },
        ledger: true,
        calls: true,
        management: 'none',
        isOperator: false,
      },
      validUntil: ISSUED + 600_000,
    });
  });

  it('sees its own namespace with the management audience, and all where it is of the system namespace', async () => {
    const managing = (namespace: string) =>
      issuer.token({ namespace, audience: ['other', 'tollgate-management'], pod: null });
    expect(await review(await managing('shop'))).toMatchObject({ caller: { ledger: false, management: 'namespace' } });
    expect(await review(await managing('tollgate-system'))).toMatchObject({ caller: { management: 'all' } });
    expect(await review(await issuer.token({ audience: ['tollgate', 'tollgate-management'] }))).toMatchObject({
      caller: { ledger: true, management: 'namespace' },
    });
  });

  const bad: readonly [string, TokenPart, string][] = [
    ['that ended a millisecond ago', { expiresAt: ISSUED - 1 }, 'expired'],
    ['that ends now', { expiresAt: ISSUED }, 'expired'],
    ['that ended an hour ago', { expiresAt: ISSUED - 3_600_000 }, 'expired'],
    ['that begins in a minute', { notBefore: ISSUED + 60_000 }, 'not_yet_valid'],
    ['for another audience', { audience: 'api' }, 'audience'],
    ['for an audience that is a part of ours', { audience: 'tollgat' }, 'audience'],
    ['of another issuer', { issuer: 'https://elsewhere.test' }, 'issuer'],
    ['signed with a key that nobody knows', { kid: 'key-2' }, 'key'],
    ['without what Kubernetes says of it', { payload: { 'kubernetes.io': null } }, 'claims'],
    ['of an empty namespace', { namespace: '' }, 'claims'],
  ];
  it.each(bad)('is refused %s', async (_what, differs, reason) => {
    expect(await review(await issuer.token(differs))).toEqual({ ok: false, reason });
  });

  it('that is bound to no pod leases nothing, and may call through a gateway', async () => {
    expect(await review(await issuer.token({ pod: null }))).toMatchObject({
      caller: { workload: { pod: null }, ledger: false, calls: true, management: 'none' },
    });
  });

  it('is accepted a few seconds before it begins: clocks differ', async () => {
    expect(await review(await issuer.token({ notBefore: ISSUED + 4_000 }))).toMatchObject({ ok: true });
  });

  it('is refused when another key signed it, or its claims were changed', async () => {
    const forger = await makeIssuer();
    expect(await review(await forger.token())).toEqual({ ok: false, reason: 'signature' });
    const [head = '', , signature = ''] = (await issuer.token()).split('.');
    const claims = part({ iss: ISSUER, aud: 'tollgate', exp: ISSUED, 'kubernetes.io': { namespace: 'other' } });
    expect(await review(`${head}.${claims}.${signature}`)).toEqual({ ok: false, reason: 'signature' });
  });

  it('is refused without a signature, with the public key taken for a secret, and with an algorithm we do not take', async () => {
    const [, claims = ''] = (await issuer.token()).split('.');
    const none = `${part({ alg: 'none', kid: 'key-1' })}.${claims}.`;
    const secret = JSON.stringify(issuer.keySet.keys[0]);
    const hmacInput = `${part({ alg: 'HS256', kid: 'key-1' })}.${claims}`;
    const confused = `${hmacInput}.${createHmac('sha256', secret).update(hmacInput).digest('base64url')}`;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const rs384Input = `${part({ alg: 'RS384', kid: 'key-1' })}.${claims}`;
    const rs384 = `${rs384Input}.${createSign('RSA-SHA384').update(rs384Input).sign(privateKey).toString('base64url')}`;
    expect(await Promise.all([none, confused, rs384].map(review))).toEqual(
      Array.from({ length: 3 }, () => ({ ok: false, reason: 'algorithm' })),
    );
  });

  it('is not one at all: others may know it', async () => {
    expect(await Promise.all(['plain', 'a.b', 'a.b.c.d', "' OR 1=1--"].map(review))).toEqual(
      Array.from({ length: 4 }, () => ({ ok: false, reason: 'unknown' })),
    );
    expect(await review('a.b.c')).toEqual({ ok: false, reason: 'malformed' });
  });

  it('leaves the question open while the keys cannot be had', async () => {
    const keys = (): Promise<never> => Promise.reject(new Error('no route to host'));
    expect(await reviewerOf(keys)(await issuer.token())).toEqual({ ok: false, reason: 'unavailable' });
  });
});

describe('signing keys', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-keys-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('are read again from their file when a key is new, though not at every question', async () => {
    const file = join(dir, 'keys.json');
    const [former, latter] = [await makeIssuer('ES256', 'one'), await makeIssuer('ES256', 'two')];
    let now = ISSUED;
    writeFileSync(file, JSON.stringify(former.keySet));
    const review = reviewerOf(
      signingKeys(file, () => now),
      () => now,
    );
    expect(await review(await former.token())).toMatchObject({ ok: true });
    writeFileSync(file, JSON.stringify({ keys: [...former.keySet.keys, ...latter.keySet.keys] }));
    expect(await review(await latter.token())).toEqual({ ok: false, reason: 'key' });
    now += 10_000;
    expect(await review(await latter.token())).toMatchObject({ ok: true });
    expect(await review(await former.token())).toMatchObject({ ok: true });
  });

  it('are a key set in a file, or behind https', () => {
    const file = join(dir, 'bad.json');
    writeFileSync(file, '{"keys":[]}');
    expect(() => signingKeys(file, () => 0)).toThrow(/no JSON Web Key Set/);
    expect(() => signingKeys(join(dir, 'none.json'), () => 0)).toThrow(/no JSON Web Key Set/);
    expect(() => signingKeys('http://issuer.test/keys', () => 0)).toThrow(/https/);
    expect(typeof signingKeys('https://issuer.test/keys', () => 0)).toBe('function');
  });
});
