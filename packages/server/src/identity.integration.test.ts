import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet } from 'jose';
import { START } from '@tollgate/ledger/contract';
import { encodeEvents } from '@tollgate/ledger/wire';
import { recordingLogger, type RecordingLogger } from '@tollgate/runtime/testing';
import { openStore, type Store } from '@tollgate/store';
import { anEvent, startPglite, type TestPglite } from '@tollgate/store/testing';
import { signedToken } from './auth/signed-token.ts';
import { adminToken } from './auth/static-token.ts';
import { firstOf } from './auth/token-review.ts';
import { aBudget } from './testing/a-budget.ts';
import { ISSUER, makeIssuer, type Issuer, type TokenPart } from './testing/an-issuer.ts';
import { metricValue } from './testing/metric-value.ts';
import { startTestServer, type Answer, type TestServer } from './testing/test-server.ts';

const DAILY = { budget: 'shop/pool', limit: 'daily', partition: '' };
const WEB = { name: 'web-7d4b9c-x2x4z', uid: 'uid-1' };
const CART = { name: 'cart-7d4b9c-aaaaa', uid: 'uid-2' };

describe('whom a token speaks for', () => {
  let lite: TestPglite;
  let store: Store;
  let issuer: Issuer;
  let logger: RecordingLogger;
  let test: TestServer;
  let clock: { now: number };

  const start = (): Promise<TestServer> =>
    startTestServer(store, clock, {
      authenticate: firstOf([
        adminToken('admin-token'),
        signedToken({
          keys: createLocalJWKSet({ keys: issuer.keySet.keys as never }),
          issuer: ISSUER,
          ledgerAudience: 'tollgate',
          managementAudience: 'tollgate-management',
          systemNamespace: 'tollgate-system',
          operator: null,
          clock: () => clock.now,
        }),
      ]),
      logger,
    });

  beforeAll(async () => {
    lite = await startPglite();
    store = await openStore({ connectionString: lite.connectionString, max: 1 });
    issuer = await makeIssuer();
    clock = { now: START };
    logger = recordingLogger();
    test = await start();
    await test.server.setResources({ budgets: [aBudget({}, 'pool', 'shop')], routes: [] });
    await hello('web', 'web');
  }, 60_000);
  afterAll(async () => {
    await test.server.close();
    await store.close();
    await lite.stop();
  });

  const as = async (part: TokenPart, method: string, path: string, body?: unknown): Promise<Answer> =>
    test.ask(method, path, body, { authorization: `Bearer ${await issuer.token(part)}` });
  const subject = (workload: string, namespace = 'shop') => ({ namespace, workload, labels: {}, team: namespace });
  const hello = (instance: string, workload: string, part: TokenPart = {}, namespace?: string) =>
    as(part, 'POST', '/v1/hello', { contract: 1, instance, version: '1.2.3', subject: subject(workload, namespace) });
  const lease = (instance: string, seq: number, part: TokenPart = {}) =>
    as(part, 'POST', '/v1/lease', { instance, seq, needs: [{ ...DAILY, need: '5', prefer: '5' }] });
  const refused = async (reason: string): Promise<number> =>
    metricValue((await test.ask('GET', '/metrics')).text, `tollgate_server_refused_total{reason="${reason}"}`);

  it('is written down at the hello, account and pod by the token', async () => {
    expect((await hello('web', 'web')).json).toMatchObject({
      subject: { ...subject('web'), serviceAccount: 'web', pod: WEB.name },
    });
    expect(await store.subjectOf('web')).toMatchObject({ namespace: 'shop', serviceAccount: 'web', pod: WEB.name });
    expect((await lease('web', 1)).json).toMatchObject({ granted: true });
  });

  it.each([
    ['a namespace of others', 'pay', { namespace: 'bank' }, 'web'],
    ['a workload of others', 'cart', {}, 'cart'],
  ])('is no leave to claim %s', async (_what, instance, part, workload) => {
    const before = await refused('foreign_subject');
    for (let times = 0; times < 3; times += 1) {
      expect(await hello(instance, workload, part)).toMatchObject({
        status: 403,
        json: { error: { code: 'foreign_subject' } },
      });
    }
    expect(await refused('foreign_subject')).toBe(before + 3);
    expect(logger.lines.filter(({ fields }) => fields.instance === instance)).toHaveLength(1);
    expect(await store.subjectOf(instance)).toBeNull();
  });

  it('is asked at every request of the instance, also by a server that has just started', async () => {
    const cart = { serviceAccount: 'cart', pod: CART };
    const tallies = await store.tallies();
    const foreign = async (): Promise<readonly unknown[]> =>
      Promise.all([
        hello('web', 'cart', cart),
        lease('web', 2, cart),
        as(cart, 'POST', '/v1/give-back', {
          instance: 'web',
          seq: 1,
          returns: [{ ...DAILY, leaseId: 'x', windowId: 'y', epoch: 'z', amount: '5' }],
        }),
        as(cart, 'POST', '/v1/events', encodeEvents({ instance: 'web', events: [] })),
        as(cart, 'POST', '/v1/close', { instance: 'web', epoch: '', lastSeq: 0 }),
        as(cart, 'GET', '/v1/snapshots?instance=web'),
      ]);
    const expected = Array.from({ length: 6 }, () => ({
      status: 403,
      json: { error: { code: 'foreign_instance', message: expect.any(String) } },
    }));
    expect(await foreign()).toMatchObject(expected);
    await test.server.close();
    test = await start();
    await test.server.setResources({ budgets: [aBudget({}, 'pool', 'shop')], routes: [] });
    const sealed = await store.tallies();
    expect(await foreign()).toMatchObject(expected);
    expect(await store.tallies()).toEqual(sealed);
    expect(sealed.map(({ settled, charged }) => [settled, charged])).toEqual(
      tallies.map(({ settled, charged }) => [settled, charged]),
    );
    expect((await lease('web', 3)).json).toMatchObject({ granted: true });
  });

  it('goes for the events too, but for a gateway, which reports for those who call it', async () => {
    const ship = (part: TokenPart, instance: string, namespace: string) =>
      as(
        part,
        'POST',
        '/v1/events',
        encodeEvents({
          instance,
          events: [anEvent({ instance, seq: 1, subject: subject('x', namespace) })],
        }),
      );
    expect(await ship({}, 'web', 'bank')).toMatchObject({ status: 403, json: { error: { code: 'foreign_subject' } } });
    const gateway = { namespace: 'tollgate-system', pod: { name: 'gateway-1-1', uid: 'u' } };
    await hello('gateway', 'gateway', gateway, 'tollgate-system');
    expect(await ship(gateway, 'gateway', 'bank')).toMatchObject({ status: 200, json: { ack: 1 } });
    expect(await ship({}, 'web', 'shop')).toMatchObject({ status: 200, json: { ack: 1 } });
  });

  it('ends with the token: expired, foreign and forged ones get the same answer', async () => {
    const forger = await makeIssuer();
    const tokens = [
      await issuer.token({ expiresAt: clock.now - 1 }),
      await issuer.token({ audience: 'other' }),
      await issuer.token({ issuer: 'https://elsewhere.test' }),
      await forger.token(),
      'eyJhbGciOiJub25lIn0.e30.',
      'nonsense',
    ];
    const answers = await Promise.all(
      tokens.map((token) => test.ask('POST', '/v1/lease', {}, { authorization: `Bearer ${token}` })),
    );
    expect(new Set(answers.map(({ status, text }) => `${String(status)} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401, json: { error: { code: 'unauthenticated' } } });
    for (const reason of ['expired', 'audience', 'issuer', 'signature', 'algorithm', 'unknown']) {
      expect([reason, await refused(`token_${reason}`)]).toEqual([reason, 1]);
    }
    const token = await issuer.token({ expiresAt: clock.now + 1_000 });
    const ask = () => test.ask('GET', '/v1/snapshots?instance=nobody', undefined, { authorization: `Bearer ${token}` });
    expect((await ask()).status).toBe(409);
    clock.now += 1_000;
    expect((await ask()).status).toBe(401);
    clock.now -= 1_000;
  });

  it('keeps the ledger from those who manage, and management from proxies', async () => {
    const managing = { audience: 'tollgate-management', pod: null };
    expect((await lease('web', 9, managing)).json).toMatchObject({ error: { code: 'forbidden' } });
    expect((await as({}, 'GET', '/v1/budgets')).status).toBe(403);
    expect((await as(managing, 'GET', '/v1/budgets')).status).toBe(200);
    const admin = { authorization: 'Bearer admin-token' };
    expect((await test.ask('GET', '/v1/budgets', undefined, admin)).status).toBe(200);
    expect((await test.ask('POST', '/v1/lease', {}, admin)).status).toBe(403);
  });
});
