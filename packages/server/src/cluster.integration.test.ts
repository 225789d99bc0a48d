/** Two servers over one PostgreSQL, as in a cluster: the operator tells one of them, the proxies ask either. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet } from 'jose';
import type { Snapshot } from '@tollgate/api';
import { START } from '@tollgate/ledger/contract';
import { makeHttpLedger, type HttpLedger } from '@tollgate/ledger/http';
import { encodeEvents } from '@tollgate/ledger/wire';
import { systemTimers } from '@tollgate/runtime';
import { recordingLogger, type RecordingLogger } from '@tollgate/runtime/testing';
import { openStore, type Store } from '@tollgate/store';
import { anEvent, startPostgres, type TestPostgres } from '@tollgate/store/testing';
import { signedToken } from './auth/signed-token.ts';
import { adminToken, bearerToken } from './auth/static-token.ts';
import { firstOf } from './auth/token-review.ts';
import { aBudget } from './testing/a-budget.ts';
import { aPod, type ToldPod } from './testing/a-pod.ts';
import { ISSUER, makeIssuer, type Issuer, type TokenPart } from './testing/an-issuer.ts';
import { metricValue } from './testing/metric-value.ts';
import { startTestServer, type Answer, type TestServer } from './testing/test-server.ts';

const OPERATOR = { namespace: 'tollgate-system', name: 'tollgate-operator' };
const AS_OPERATOR: TokenPart = {
  namespace: OPERATOR.namespace,
  serviceAccount: OPERATOR.name,
  audience: 'tollgate-management',
  pod: { name: 'tollgate-operator-1', uid: 'uid-operator' },
};
const DAILY = { budget: 'shop/pool', limit: 'daily', partition: '' };
const claimed = { namespace: 'shop', workload: 'web', labels: {}, team: 'shop' };

/** Lists may hold what is no object: such is what is refused. */
interface Told {
  readonly budgets?: readonly unknown[];
  readonly routes?: readonly object[];
  readonly inferenceServices?: readonly object[];
  readonly namespaces?: object;
}

describe('servers of a cluster', () => {
  let postgres: TestPostgres;
  let url: string;
  let issuer: Issuer;
  let logger: RecordingLogger;
  let a: TestServer;
  let b: TestServer;
  let stores: Store[];
  let ledgers: HttpLedger[];
  let watches: AbortController[];
  let started: TestServer[];
  const clock = { now: START };

  beforeAll(async () => {
    postgres = await startPostgres();
    issuer = await makeIssuer();
  }, 60_000);
  afterAll(() => postgres.stop());
  beforeEach(async () => {
    url = await postgres.database();
    logger = recordingLogger();
    [stores, ledgers, watches, started] = [[], [], [], []];
    a = await start('a');
    b = await start('b');
  });
  afterEach(async () => {
    for (const watch of watches) watch.abort();
    for (const ledger of ledgers) ledger.close();
    for (const { server } of started) await server.close();
    for (const store of stores) await store.close();
  });

  const start = async (server: string): Promise<TestServer> => {
    const store = await openStore({ connectionString: url, max: 4 });
    stores.push(store);
    const test = await startTestServer(store, clock, {
      server,
      isToldByOperator: true,
      timers: systemTimers,
      logger,
      authenticate: firstOf([
        adminToken('admin-token'),
        bearerToken('shared-token'),
        signedToken({
          keys: createLocalJWKSet({ keys: issuer.keySet.keys as never }),
          issuer: ISSUER,
          ledgerAudience: 'tollgate',
          managementAudience: 'tollgate-management',
          systemNamespace: 'tollgate-system',
          operator: OPERATOR,
          clock: () => clock.now,
        }),
      ]),
    });
    started.push(test);
    return test;
  };
  const as = async (on: TestServer, part: TokenPart, method: string, path: string, body?: unknown): Promise<Answer> =>
    on.ask(method, path, body, { authorization: `Bearer ${await issuer.token(part)}` });
  const tell = (on: TestServer, told: Told = { budgets: [aBudget({}, 'pool', 'shop')] }): Promise<Answer> =>
    as(on, AS_OPERATOR, 'PUT', '/v1/resources', {
      budgets: [],
      routes: [],
      inferenceServices: [],
      namespaces: {},
      ...told,
    });
  const tellPods = (on: TestServer, ...pods: readonly ToldPod[]): Promise<Answer> =>
    as(on, AS_OPERATOR, 'PUT', '/v1/pods', { pods });
  const hello = (on: TestServer, instance: string, part: TokenPart = {}, subject: object = claimed): Promise<Answer> =>
    as(on, part, 'POST', '/v1/hello', { contract: 1, instance, version: '1.2.3', subject });
  const budgetsOf = async (on: TestServer): Promise<readonly Record<string, never>[]> =>
    ((await as(on, AS_OPERATOR, 'GET', '/v1/budgets')).json as { budgets: Record<string, never>[] }).budgets;
  const versionAt = async (on: TestServer, what = 'resources'): Promise<unknown> =>
    ((await as(on, AS_OPERATOR, 'GET', `/v1/${what}`)).json as { version: unknown }).version;
  const follow = async (on: TestServer, instance: string, part: TokenPart = {}) => {
    const token = await issuer.token(part);
    const ledger = makeHttpLedger({ serverUrl: on.url, token: () => token, random: () => 0 });
    const watch = new AbortController();
    const seen: Snapshot[] = [];
    ledgers.push(ledger);
    watches.push(watch);
    void ledger.watchSnapshots({ instance, signal: watch.signal, onSnapshot: (snapshot) => seen.push(snapshot) });
    await until(() => seen.length > 0);
    return { ledger, watch, seen, last: () => seen.at(-1) };
  };

  it('tell proxies to come again until they are told what holds, and are well meanwhile', async () => {
    for (const on of [a, b]) {
      expect(await hello(on, 'i')).toMatchObject({ status: 503, json: { error: { code: 'resources_unknown' } } });
      expect((await on.ask('GET', '/healthz')).status).toBe(200);
      expect((await on.ask('GET', '/livez')).status).toBe(200);
      expect((await as(on, {}, 'GET', '/v1/snapshots?instance=i')).status).toBe(503);
    }
    expect(await budgetsOf(a)).toEqual([]);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('take over what one of them is told, and those that start later have it before they listen', async () => {
    const answer = await tell(a);
    expect(answer).toMatchObject({ status: 200, json: { version: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    const { version } = answer.json as { version: string };
    expect(await versionAt(a)).toBe(version);
    await until(async () => (await versionAt(b)) === version);
    expect(await budgetsOf(b)).toMatchObject([{ columns: { namespace: 'shop', name: 'pool' } }]);
    const c = await start('c');
    expect(await versionAt(c)).toBe(version);
    expect(await budgetsOf(c)).toHaveLength(1);
  });

  it('take the same again for no change, and another for one, whoever of them is told', async () => {
    const first = (await tell(a)).json;
    await until(async () => (await versionAt(b)) !== null);
    expect((await tell(b)).json).toEqual(first);
    const page = (await b.ask('GET', '/metrics')).text;
    expect(metricValue(page, 'tollgate_server_told_total{document="resources",outcome="unchanged"}')).toBe(1);
    expect(metricValue(page, 'tollgate_server_resources_told')).toBe(1);
    expect((await tell(b, { budgets: [aBudget({ enforcement: 'Audit' }, 'pool', 'shop')] })).json).not.toEqual(first);
    await until(async () => JSON.stringify(await budgetsOf(a)).includes('Audit'));
  });

  it.each<[string, TokenPart | string]>([
    ['a tenant with the audience of management', { audience: 'tollgate-management', pod: null }],
    ['a pod of its own namespace', { ...AS_OPERATOR, serviceAccount: 'gateway' }],
    ['an account of its name elsewhere', { ...AS_OPERATOR, namespace: 'shop' }],
    ['its own token for the ledger', { ...AS_OPERATOR, audience: 'tollgate' }],
    ['who looks after the installation', 'admin-token'],
    ['a shared token', 'shared-token'],
  ])('are told by the operator alone, and not by %s', async (_who, credential) => {
    await tell(a);
    await tellPods(a, aPod());
    const before = [await versionAt(a), await versionAt(a, 'pods')];
    const token = typeof credential === 'string' ? credential : await issuer.token(credential);
    const none = { budgets: [], routes: [], inferenceServices: [], namespaces: {} };
    for (const [method, path, body] of [
      ['PUT', '/v1/resources', none],
      ['PUT', '/v1/pods', { pods: [] }],
      ['GET', '/v1/resources', undefined],
      ['GET', '/v1/pods/findings', undefined],
    ] as const) {
      expect(await a.ask(method, path, body, { authorization: `Bearer ${token}` })).toMatchObject({
        status: 403,
        json: { error: { code: 'forbidden' } },
      });
    }
    expect([await versionAt(a), await versionAt(a, 'pods')]).toEqual(before);
  });

  it('tell the operator of pods that never called, and of those that call past their proxy', async () => {
    await tell(a);
    await tellPods(a, aPod(), aPod({ uid: 'uid-2', name: 'web-7d4b9c-aaaaa' }));
    const two: TokenPart = { pod: { name: 'web-7d4b9c-aaaaa', uid: 'uid-2' } };
    await hello(a, 'one');
    await until(async () => (await hello(b, 'two', two)).status === 200);
    await follow(a, 'one');
    await follow(b, 'two', two);
    const silent = { namespace: 'shop', isSilent: true, direct: [] };
    const first = { ...silent, name: aPod().name };
    const second = { ...silent, name: 'web-7d4b9c-aaaaa' };
    type Found = readonly (Omit<typeof first, 'direct'> & { readonly direct: readonly unknown[] })[];
    const inOrder = (found: Found): string =>
      JSON.stringify(found.map(({ namespace, name, isSilent, direct }) => [namespace, name, isSilent, direct]).sort());
    const sameAs = (expected: Found): Promise<void> =>
      until(async () => {
        const { json } = await as(b, AS_OPERATOR, 'GET', '/v1/pods/findings');
        return inOrder((json as { readonly pods: Found }).pods) === inOrder(expected);
      });
    await sameAs([first, second]);
    const event = anEvent({ instance: 'one', seq: 1, requestId: 'r', subject: { ...claimed, pod: first.name } });
    await as(a, {}, 'POST', '/v1/events', JSON.parse(encodeEvents({ instance: 'one', events: [event] })));
    await sameAs([second]);
    const direct = [{ host: 'api.openai.com', count: 2 }];
    await as(a, {}, 'POST', '/v1/running', { instance: 'one', snapshot: 'v', direct });
    await sameAs([{ ...first, isSilent: false, direct }, second]);
    // A proxy that looks no more, or of an earlier version, says nothing of them.
    await as(b, {}, 'POST', '/v1/running', { instance: 'one', snapshot: 'v' });
    await sameAs([second]);
  });

  it('take nothing of what has a fault, and name each by its place', async () => {
    const { json: before } = await tell(a);
    const bad = { ...aBudget({}, 'other', 'shop'), spec: { limits: [] } };
    expect(await tell(a, { budgets: [aBudget({}, 'new', 'shop'), bad] })).toMatchObject({
      status: 422,
      json: {
        error: {
          code: 'invalid_resources',
          message: expect.stringContaining('budgets[1].spec.limits'),
          faults: [{ path: 'budgets[1].spec.limits', message: expect.any(String) }],
        },
      },
    });
    expect((await tellPods(a, aPod({ uid: '' }))).json).toMatchObject({
      error: { code: 'invalid_pods', faults: [{ path: 'pods[0].uid' }] },
    });
    expect({ version: await versionAt(a) }).toEqual(before);
    expect(await versionAt(a, 'pods')).toBeNull();
    const many = await tell(a, { budgets: Array.from({ length: 500 }, () => 7) });
    expect((many.json as { error: { faults: unknown[] } }).error.faults).toHaveLength(100);
    for (const [body, status] of [
      ['{"budgets":', 400],
      ['\0', 400],
      [`{"filling":"${'x'.repeat(17 << 20)}"}`, 413],
    ] as const) {
      expect((await as(a, AS_OPERATOR, 'PUT', '/v1/resources', body)).status).toBe(status);
    }
    const asText = await a.ask('PUT', '/v1/resources', '{}', {
      authorization: `Bearer ${await issuer.token(AS_OPERATOR)}`,
      'content-type': 'text/plain',
    });
    expect(asText.status).toBe(415);
    expect({ version: await versionAt(a) }).toEqual(before);
  });

  it('let pods in that the operator told of, as it tells of them, at any of them at once', async () => {
    await tell(a);
    await until(async () => (await versionAt(b)) !== null);
    const unknown = await hello(b, 'i');
    expect(unknown).toMatchObject({ status: 409, json: { error: { code: 'unknown_pod' } } });
    expect(unknown.headers.get('retry-after')).toBe('1');
    expect(await stores[0]?.subjectOf('i')).toBeNull();
    expect((await tellPods(a, aPod())).status).toBe(204);
    const lies = { namespace: 'bank', workload: 'vault', labels: { tier: 'gold' }, team: 'directors' };
    await until(async () => (await hello(b, 'i', {}, lies)).status === 200);
    expect((await hello(b, 'i', {}, lies)).json).toMatchObject({
      subject: {
        namespace: 'shop',
        workload: 'web',
        workloadKind: 'Deployment',
        serviceAccount: 'web',
        pod: 'web-7d4b9c-x2x4z',
        labels: { app: 'web' },
        team: 'team-a',
      },
    });
    expect(await stores[0]?.subjectOf('i')).toMatchObject({ workload: 'web', team: 'team-a' });
    // The token speaks of another pod than the one that has this UID.
    await tellPods(a, aPod({ name: 'web-7d4b9c-other' }));
    expect(await hello(a, 'j')).toMatchObject({ status: 403, json: { error: { code: 'foreign_subject' } } });
    const page = (await b.ask('GET', '/metrics')).text;
    expect(metricValue(page, 'tollgate_server_refused_total{reason="unknown_pod"}')).toBeGreaterThanOrEqual(1);
    expect(logger.lines.filter(({ fields }) => fields.code === 'unknown_pod')).toEqual([]);
  });

  it('let a gateway in their own namespace in without, and who has a token for all', async () => {
    await tell(a);
    const gateway = { namespace: 'tollgate-system', serviceAccount: 'gateway', pod: { name: 'gateway-1-1', uid: 'g' } };
    const itself = { namespace: 'tollgate-system', workload: 'gateway', labels: {}, team: 'platform' };
    expect((await hello(a, 'gateway', gateway, itself)).json).toMatchObject({ subject: itself });
    const events = encodeEvents({
      instance: 'gateway',
      events: [anEvent({ instance: 'gateway', seq: 1, subject: claimed })],
    });
    expect((await as(a, gateway, 'POST', '/v1/events', events)).json).toEqual({ ack: 1 });
    const shared = { authorization: 'Bearer shared-token' };
    const greeting = { contract: 1, instance: 'shared', version: '1', subject: claimed };
    expect((await a.ask('POST', '/v1/hello', greeting, shared)).status).toBe(200);
  });

  it('count the pods of a budget over all of them, and those that say they run what is in force', async () => {
    await tell(a);
    await tellPods(a, aPod(), aPod({ uid: 'uid-2', name: 'web-7d4b9c-aaaaa' }));
    const two: TokenPart = { pod: { name: 'web-7d4b9c-aaaaa', uid: 'uid-2' } };
    await hello(a, 'one');
    await until(async () => (await hello(b, 'two', two)).status === 200);
    const one = await follow(a, 'one');
    await follow(b, 'two', two);
    const attached = async (on: TestServer): Promise<unknown> => (await budgetsOf(on))[0]?.['attached'];
    await until(async () => JSON.stringify(await attached(a)) === '{"pods":2,"onVersion":0}');
    // Behind one name for both servers, it may reach the one that does not have the stream.
    const version = one.last()?.version ?? '';
    expect((await as(b, {}, 'POST', '/v1/running', { instance: 'one', snapshot: version })).status).toBe(204);
    await hello(b, 'two', two);
    for (const on of [a, b]) {
      await until(async () => JSON.stringify(await attached(on)) === '{"pods":2,"onVersion":1}');
    }
    expect((await budgetsOf(a))[0]).toMatchObject({
      columns: { pods: 2 },
      unmeteredRequests: 0,
      unprovenRequests: 0,
      resource: { status: { attachedPods: 2, unmeteredRequests: 0 } },
    });
    await tell(b, { budgets: [aBudget({ enforcement: 'Soft' }, 'pool', 'shop')] });
    await until(async () => JSON.stringify(await attached(a)) === '{"pods":2,"onVersion":0}');
    await until(() => one.last()?.version !== version);
    await as(a, {}, 'POST', '/v1/running', { instance: 'one', snapshot: one.last()?.version });
    await until(async () => JSON.stringify(await attached(b)) === '{"pods":2,"onVersion":1}');
    expect(await as(a, {}, 'POST', '/v1/running', { instance: 'nobody', snapshot: 'v' })).toMatchObject({
      status: 409,
      json: { error: { code: 'unknown_instance' } },
    });
    expect((await as(a, two, 'POST', '/v1/running', { instance: 'one', snapshot: 'v' })).status).toBe(403);
  });

  it('count a gateway by what it says of its callers, whichever of them it says so to', async () => {
    await tell(a);
    const gateway = { namespace: 'tollgate-system', serviceAccount: 'gateway', pod: { name: 'gateway-1-1', uid: 'g' } };
    const itself = { namespace: 'tollgate-system', workload: 'gateway', labels: {}, team: 'platform' };
    await hello(a, 'gateway', gateway, itself);
    await follow(a, 'gateway', gateway);
    const say = (on: TestServer, callers: readonly object[]): Promise<Answer> =>
      as(on, gateway, 'POST', '/v1/running', { instance: 'gateway', snapshot: 'own', callers });
    const attached = async (on: TestServer): Promise<string> => JSON.stringify((await budgetsOf(on))[0]?.['attached']);
    expect((await say(b, [{ caller: '["shop","ci"]', snapshot: 'former' }])).status).toBe(204);
    for (const on of [a, b])
      await until(async () => (await attached(on)) === '{"pods":0,"onVersion":0,"gateways":{"count":1,"onVersion":0}}');
    await say(a, []);
    for (const on of [a, b]) await until(async () => (await attached(on)) === '{"pods":0,"onVersion":0}');
  });

  it('count a pod no longer that left the list; what it leased stays leased, and it may go on', async () => {
    await tell(a);
    await tellPods(a, aPod());
    await hello(a, 'one');
    await follow(a, 'one');
    const lease = (seq: number) =>
      as(a, {}, 'POST', '/v1/lease', { instance: 'one', seq, needs: [{ ...DAILY, need: '5', prefer: '5' }] });
    expect((await lease(1)).json).toMatchObject({ granted: true });
    await until(async () => JSON.stringify((await budgetsOf(b))[0]?.['attached']) === '{"pods":1,"onVersion":0}');
    const held = (await stores[0]?.tallies())?.map(({ allocated, refunded }) => allocated - refunded);
    await tellPods(b);
    await until(async () => JSON.stringify((await budgetsOf(a))[0]?.['attached']) === '{"pods":0,"onVersion":0}');
    clock.now += 3_600_000;
    expect((await stores[0]?.tallies())?.map(({ allocated, refunded }) => allocated - refunded)).toEqual(held);
    clock.now -= 3_600_000;
    expect((await lease(2)).json).toMatchObject({ granted: true });
    expect((await hello(a, 'one')).json).toMatchObject({ error: { code: 'unknown_pod' } });
  });

  it('send a pod whose labels changed the policy of who it is now', async () => {
    const vip = aBudget({ selector: { matchLabels: { tier: 'gold' } } }, 'gold', 'shop');
    await tell(a, { budgets: [aBudget({}, 'pool', 'shop'), vip] });
    await tellPods(a, aPod());
    await hello(a, 'one');
    const { last } = await follow(a, 'one');
    expect(last()?.budgets.map(({ name }) => name)).toEqual(['pool']);
    await tellPods(b, aPod({ labels: { app: 'web', tier: 'gold' } }));
    await until(() => last()?.budgets.length === 2);
    expect(last()?.subject).toMatchObject({ labels: { tier: 'gold' }, pod: 'web-7d4b9c-x2x4z' });
  });

  it('bind namespaces by their labels, as they are told', async () => {
    const org = aBudget({ namespaceSelector: { matchLabels: { env: 'prod' } } }, 'org', 'tollgate-system');
    const namespaces = (env: string) => ({ shop: { labels: { env } } });
    await tell(a, { budgets: [org], namespaces: namespaces('test') });
    await tellPods(a, aPod());
    await hello(a, 'one');
    const { last } = await follow(a, 'one');
    expect(last()?.budgets).toEqual([]);
    await tell(b, { budgets: [org], namespaces: namespaces('prod') });
    await until(() => last()?.budgets.length === 1);
    const needs = [{ budget: 'tollgate-system/org', limit: 'daily', partition: '', need: '5', prefer: '5' }];
    expect((await as(a, {}, 'POST', '/v1/lease', { instance: 'one', seq: 1, needs })).json).toMatchObject({
      granted: true,
    });
    await until(async () => JSON.stringify((await budgetsOf(b))[0]?.['attached']) === '{"pods":1,"onVersion":0}');
  });

  it('keep what is in force while the database is away, and take over what was told since', async () => {
    await tell(a);
    await tellPods(a, aPod());
    await hello(a, 'one');
    const { last } = await follow(a, 'one');
    const halted = await postgres.halt();
    expect((await tell(a, {})).status).toBe(503);
    expect(last()?.budgets).toHaveLength(1);
    await halted.start();
    await until(async () => (await tell(a, {})).status === 200);
    await until(() => last()?.budgets.length === 0);
    await until(async () => (await budgetsOf(b).catch(() => [7])).length === 0);
  }, 60_000);
});

const until = async (claim: () => boolean | Promise<boolean>): Promise<void> => {
  for (let waitedMs = 0; waitedMs < 15_000; waitedMs += 25) {
    if (await claim()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come to pass');
};
