import { describe, expect, it } from '@jest/globals';
import { recordingLogger } from '@tollgate/runtime/testing';
import { kubernetesTokenReview } from './kubernetes-token-review.ts';

const NOW = 1_795_219_200_000;
const OPERATOR = { namespace: 'tollgate-system', name: 'tollgate-operator' };

const tokenWith = (claims: object): string =>
  ['{"alg":"RS256"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const token = (part: object = {}): string => tokenWith({ exp: NOW / 1000 + 3_600, aud: ['tollgate'], ...part });

const user = (account = 'web', namespace = 'shop', pod: string | null = 'web-1') => ({
  username: `system:serviceaccount:${namespace}:${account}`,
  groups: ['system:serviceaccounts'],
  extra:
    pod === null
      ? {}
      : {
          'authentication.kubernetes.io/pod-name': [pod],
          'authentication.kubernetes.io/pod-uid': [`uid-of-${pod}`],
          'authentication.kubernetes.io/node-name': ['n1'],
        },
});
const status = (part: object = {}) => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
  status: { authenticated: true, audiences: ['tollgate'], user: user(), ...part },
});

const setUp = (answer: (body: unknown) => Promise<unknown>) => {
  const asked: unknown[] = [];
  const logger = recordingLogger();
  let now = NOW;
  const review = kubernetesTokenReview({
    api: {
      post: (path, body) => {
        asked.push([path, body]);
        return answer(body);
      },
    },
    ledgerAudience: 'tollgate',
    managementAudience: 'tollgate-management',
    systemNamespace: 'tollgate-system',
    operator: OPERATOR,
    clock: () => now,
    logger,
  });
  return {
    review,
    asked,
    logger,
    advance: (ms: number) => {
      now += ms;
    },
  };
};
const answering = (part: object) => setUp(() => Promise.resolve(status(part)));

describe('a token that the API server vouches for', () => {
  it('names its account and its pod, and holds for a minute, or until its end', async () => {
    const { review, asked } = answering({});
    const given = token();
    expect(await review(given)).toEqual({
      ok: true,
      caller: {
        name: 'shop/web/web-1',
        workload: { namespace: 'shop', serviceAccount: 'web', pod: { name: 'web-1', uid: 'uid-of-web-1' } },
        ledger: true,
        calls: true,
        management: 'none',
        isOperator: false,
      },
      validUntil: NOW + 60_000,
      holdsUnasked: NOW + 900_000,
    });
    expect(asked).toEqual([
      [
        '/apis/authentication.k8s.io/v1/tokenreviews',
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token: given, audiences: ['tollgate', 'tollgate-management'] },
        },
      ],
    ]);
    const soon = NOW + 7_000;
    expect(await review(token({ exp: soon / 1000 }))).toMatchObject({ validUntil: soon, holdsUnasked: soon });
  });

  it.each([
    ['the operator may say what holds, and sees all', { user: user(OPERATOR.name, OPERATOR.namespace) }, 'all', true],
    ['its namespace alone is not enough', { user: user('gateway', OPERATOR.namespace) }, 'all', false],
    ['its name alone is not, in a namespace of others', { user: user(OPERATOR.name, 'shop') }, 'namespace', false],
    ['a tenant sees its own', { user: user('dev', 'shop', null) }, 'namespace', false],
  ])('with the audience of management: %s', async (_what, part, management, isOperator) => {
    const { review } = answering({ audiences: ['tollgate-management'], ...part });
    expect(await review(token({ aud: 'tollgate-management' }))).toMatchObject({
      caller: { ledger: false, management, isOperator },
    });
  });

  it('of the operator, but made for the ledger, may say nothing', async () => {
    const { review } = answering({ user: user(OPERATOR.name, OPERATOR.namespace) });
    expect(await review(token())).toMatchObject({ caller: { ledger: true, management: 'none', isOperator: false } });
  });

  it('that is bound to no pod leases nothing, and may call through a gateway', async () => {
    expect(await answering({ user: user('web', 'shop', null) }).review(token())).toMatchObject({
      caller: { workload: { pod: null }, ledger: false, calls: true, management: 'none' },
    });
  });

  it.each([
    ['not authenticated', { authenticated: false, error: 'token expired' }, 'signature'],
    ['authenticated is missing', { authenticated: undefined }, 'signature'],
    ['for the API server itself', { audiences: ['https://kubernetes.default.svc'] }, 'audience'],
    ['by an authenticator without audiences', { audiences: undefined }, 'audience'],
    ['a person', { user: { username: 'alice' } }, 'claims'],
    ['a name of too many parts', { user: { username: 'system:serviceaccount:a:b:c' } }, 'claims'],
    ['half a pod', { user: { ...user(), extra: { 'authentication.kubernetes.io/pod-name': ['web-1'] } } }, 'claims'],
  ])('is refused: %s', async (_what, part, reason) => {
    expect(await answering(part).review(token())).toEqual({ ok: false, reason });
  });

  it.each([
    ['no JWT', 'a-shared-token', 'unknown'],
    ['no claims', 'a.b.c', 'unknown'],
    ['no end', tokenWith({ aud: ['tollgate'] }), 'unknown'],
    ['one that is over', tokenWith({ aud: ['tollgate'], exp: NOW / 1000 }), 'expired'],
    ['one for others', tokenWith({ aud: ['vault'], exp: NOW / 1000 + 60 }), 'audience'],
    ['one for nobody', tokenWith({ exp: NOW / 1000 + 60 }), 'audience'],
  ])('is not asked about where that is no use: %s', async (_what, given, reason) => {
    const { review, asked } = answering({});
    expect(await review(given)).toEqual({ ok: false, reason });
    expect(asked).toEqual([]);
  });

  it('is not known while the API server is away; the log says so once, and holds no token', async () => {
    const { review, logger, advance } = setUp(() => Promise.reject(new Error('connect ECONNREFUSED')));
    const given = token();
    for (let times = 0; times < 3; times += 1)
      expect(await review(given)).toEqual({ ok: false, reason: 'unavailable' });
    expect(logger.lines).toHaveLength(1);
    advance(30_000);
    await review(given);
    expect(logger.lines).toHaveLength(2);
    expect(JSON.stringify(logger.lines)).not.toContain(given.slice(0, 20));
  });

  it.each([
    ['nothing', null],
    ['a list', []],
    ['no status', {}],
    ['a status of texts', { status: 'yes' }],
  ])('is not known where the answer is %s', async (_what, answer) => {
    expect(await setUp(() => Promise.resolve(answer)).review(token())).toEqual({ ok: false, reason: 'unavailable' });
  });

  it('is asked about once for all who come with it at once, and only so many are asked about', async () => {
    const pending: ((answer: unknown) => void)[] = [];
    const { review, asked } = setUp(() => new Promise((resolve) => pending.push(resolve)));
    const same = [review(token()), review(token())];
    expect(asked).toHaveLength(1);
    const others = Array.from({ length: 300 }, (_, n) => review(token({ jti: String(n) })));
    expect(asked).toHaveLength(256);
    for (const resolve of pending.splice(0)) resolve(status());
    expect((await Promise.all(same)).every(({ ok }) => ok)).toBe(true);
    const refused = (await Promise.all(others)).filter(({ ok }) => !ok);
    expect(refused).toEqual(Array.from({ length: 45 }, () => ({ ok: false, reason: 'unavailable' })));
  });
});
