import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet } from 'jose';
import { START } from '@tollgate/ledger/contract';
import { encodeEvents } from '@tollgate/ledger/wire';
import { recordingLogger, type RecordingLogger } from '@tollgate/runtime/testing';
import { openStore, type Store } from '@tollgate/store';
import { anEvent, startPglite, type TestPglite } from '@tollgate/store/testing';
import { signedToken } from './auth/signed-token.ts';
import { bearerToken } from './auth/static-token.ts';
import { firstOf } from './auth/token-review.ts';
import { aBudget } from './testing/a-budget.ts';
import { ISSUER, makeIssuer, type Issuer } from './testing/an-issuer.ts';
import { startTestServer, TOKEN, type Answer, type TestServer } from './testing/test-server.ts';

const subject = (namespace: string) => ({ namespace, workload: 'web', labels: {}, team: namespace });
const NEED = { budget: 'shop/pool', limit: 'daily', partition: '', need: '100', prefer: '100' };

describe('the management API', () => {
  let lite: TestPglite;
  let store: Store;
  let issuer: Issuer;
  let logger: RecordingLogger;
  let test: TestServer;
  const clock = { now: START };

  beforeAll(async () => {
    lite = await startPglite();
    store = await openStore({ connectionString: lite.connectionString, max: 1 });
    issuer = await makeIssuer();
    logger = recordingLogger();
    test = await startTestServer(store, clock, {
      logger,
      authenticate: firstOf([
        bearerToken(TOKEN),
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
    });
    await test.server.setResources({
      budgets: [aBudget({}, 'pool', 'shop'), aBudget({}, 'pool', 'bank')],
      routes: [],
    });
    for (const namespace of ['shop', 'bank']) {
      await test.ask('POST', '/v1/hello', {
        contract: 1,
        instance: `${namespace}-1`,
        version: '1.2.3',
        subject: subject(namespace),
      });
      const event = anEvent({
        instance: `${namespace}-1`,
        seq: 1,
        requestId: `req-${namespace}`,
        charged: 5n,
        subject: subject(namespace),
      });
      await test.ask('POST', '/v1/events', encodeEvents({ instance: `${namespace}-1`, events: [event] }));
    }
    await test.ask('POST', '/v1/lease', { instance: 'shop-1', seq: 1, needs: [NEED] });
  }, 60_000);
  afterAll(async () => {
    await test.server.close();
    await store.close();
    await lite.stop();
  });

  const as = async (namespace: string, method: string, path: string, body?: unknown): Promise<Answer> => {
    const token = await issuer.token({ namespace, audience: 'tollgate-management', pod: null });
    return test.ask(method, path, body, { authorization: `Bearer ${token}` });
  };

  it('shows a namespace its own, and what is of others as if it were not there', async () => {
    expect((await as('shop', 'GET', '/v1/usage?by=workload')).json).toMatchObject({ rows: [{ key: 'shop/web' }] });
    expect((await as('shop', 'GET', '/v1/budgets')).json).toMatchObject({
      budgets: [{ columns: { namespace: 'shop', name: 'pool' } }],
    });
    expect((await as('shop', 'GET', '/v1/explain/req-shop')).status).toBe(200);
    const others = await as('shop', 'GET', '/v1/explain/req-bank');
    const none = await as('shop', 'GET', '/v1/explain/req-none');
    expect([others.status, others.text]).toEqual([404, none.text]);
    expect((await as('desert', 'GET', '/v1/usage?by=team')).json).toEqual({ by: 'team', rows: [] });
  });

  it('says no more than that nothing changed to whom it told before, until something does', async () => {
    const ask = async (known?: string): Promise<Answer> => {
      const token = await issuer.token({ namespace: 'shop', audience: 'tollgate-management', pod: null });
      return test.ask('GET', '/v1/budgets', undefined, {
        authorization: `Bearer ${token}`,
        // As fetch does by itself.
        ...(known === undefined ? {} : { 'if-none-match': known, 'cache-control': 'no-cache' }),
      });
    };
    const first = await ask();
    const tag = first.headers.get('etag') ?? '';
    clock.now += 1_000;
    expect(await ask(tag)).toMatchObject({ status: 304, text: '' });
    await test.ask('POST', '/v1/lease', { instance: 'shop-1', seq: 2, needs: [NEED] });
    expect(await ask(tag)).toMatchObject({ status: 200, json: { budgets: [{ columns: { name: 'pool' } }] } });
  });

  it('shows all to who looks after the installation', async () => {
    expect((await as('tollgate-system', 'GET', '/v1/explain/req-bank')).status).toBe(200);
    expect((await as('tollgate-system', 'GET', '/v1/usage?by=team')).json).toMatchObject({
      rows: [{ key: 'bank' }, { key: 'shop' }],
    });
  });

  it.each([
    ['GET', '/v1/unresolved'],
    ['POST', '/v1/unresolved/x/release'],
    ['GET', '/v1/instances'],
    ['POST', '/v1/instances/shop-1/abandon'],
  ])('keeps %s %s to who looks after the installation', async (method, path) => {
    const body = method === 'POST' ? { reason: 'mine' } : undefined;
    expect(await as('shop', method, path, body)).toMatchObject({ status: 403, json: { error: { code: 'forbidden' } } });
  });

  it.each([
    ['without a reason', {}],
    ['with an empty reason', { reason: ' ' }],
    ['with more than a reason', { reason: 'x', by: 'someone else' }],
    ['with a long one', { reason: 'x'.repeat(501) }],
    ['with NUL in it', { reason: 'x\0' }],
  ])('abandons nothing %s', async (_what, body) => {
    expect((await as('tollgate-system', 'POST', '/v1/instances/shop-1/abandon', body)).status).toBe(400);
    expect((await store.listInstances()).map(({ instance }) => instance)).toContain('shop-1');
  });

  it('gives up on a proxy that is gone, and gives back what it took, each with a line that says who and why', async () => {
    const admin = (method: string, path: string, body?: unknown) => as('tollgate-system', method, path, body);
    expect((await admin('GET', '/v1/instances')).json).toMatchObject({
      instances: [
        { instance: 'bank-1', version: '1.2.3', subject: subject('bank'), ackedSeq: 1 },
        { instance: 'shop-1', epochs: [test.pool.epoch()] },
      ],
    });
    expect((await admin('POST', '/v1/instances/nobody/abandon', { reason: 'gone' })).status).toBe(404);
    const running = test.pool.epoch();
    // Nothing was heard of it for half a minute.
    clock.now += 30_000;
    expect((await admin('POST', '/v1/instances/shop-1/abandon', { reason: 'node burnt' })).status).toBe(204);
    expect(test.pool.epoch()).not.toBe(running);
    expect((await admin('GET', '/v1/unresolved')).json).toEqual({ unresolved: [] });
    // The last one who could still hold something of that epoch leaves it.
    await test.ask('POST', '/v1/close', { instance: 'bank-1', epoch: running, lastSeq: 1 });
    const listed = await test.ask('GET', '/v1/unresolved');
    expect(listed.json).toMatchObject({
      unresolved: [
        {
          budget: 'shop/pool',
          cause: 'lost',
          lost: [{ instance: 'shop-1', by: 'tollgate-system/web/', reason: 'node burnt' }],
        },
      ],
    });
    const { unresolved } = listed.json as { unresolved: [{ id: string; amount: string }] };
    const path = `/v1/unresolved/${encodeURIComponent(unresolved[0].id)}/release`;
    expect((await test.ask('POST', path, { reason: 'provider never saw it' })).json).toEqual({
      released: unresolved[0].amount,
    });
    expect((await test.ask('POST', path, { reason: 'again' })).status).toBe(404);
    expect((await test.ask('GET', '/v1/unresolved')).json).toEqual({ unresolved: [] });
    expect(
      logger.lines
        .filter(({ level }) => level === 'info')
        .map(({ message, fields }) => [message, fields.name, fields.reason]),
    ).toEqual([
      ['instance abandoned', 'tollgate-system/web/', 'node burnt'],
      ['unresolved amount released', 'token', 'provider never saw it'],
    ]);
  });

  it('gives up on a proxy that is connected only by force', async () => {
    const abandon = (query = '') =>
      as('tollgate-system', 'POST', `/v1/instances/shop-2/abandon${query}`, { reason: 'mistaken for another' });
    const inHand = async () =>
      (await store.listInstances()).filter(({ instance }) => instance === 'shop-2').map(({ epochs }) => epochs);
    const hello = { contract: 1, instance: 'shop-2', version: '1.2.3', subject: subject('shop') };
    await test.ask('POST', '/v1/hello', hello);
    await test.ask('POST', '/v1/lease', { instance: 'shop-2', seq: 1, needs: [NEED] });
    const before = await inHand();
    expect(before).toEqual([[test.pool.epoch()]]);
    const refused = await abandon();
    expect(refused).toMatchObject({ status: 409, json: { error: { code: 'instance_connected' } } });
    expect(refused.text).toContain('stay charged as unresolved');
    expect((await abandon('?force=false')).status).toBe(409);
    expect((await abandon('?force=yes')).status).toBe(400);
    expect(await inHand()).toEqual(before);
    expect((await abandon('?force=true')).status).toBe(204);
    expect(await inHand()).toEqual([]);
  });
});
