/** What a gateway asks of its callers, and that nobody else may. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet } from 'jose';
import type { Snapshot } from '@tollgate/api';
import { START } from '@tollgate/ledger/contract';
import { makeHttpLedger, type HttpLedger } from '@tollgate/ledger/http';
import { systemTimers } from '@tollgate/runtime';
import { openStore, type Store } from '@tollgate/store';
import { startPglite, type TestPglite } from '@tollgate/store/testing';
import { signedToken } from './auth/signed-token.ts';
import { aBudget } from './testing/a-budget.ts';
import { aPod, type ToldPod } from './testing/a-pod.ts';
import { ISSUER, makeIssuer, type Issuer, type TokenPart } from './testing/an-issuer.ts';
import { metricValue } from './testing/metric-value.ts';
import { startTestServer, type Answer, type TestServer } from './testing/test-server.ts';

const SYSTEM = 'tollgate-system';
const OPERATOR = { namespace: SYSTEM, name: 'tollgate-operator' };
const AS_OPERATOR: TokenPart = {
  namespace: SYSTEM,
  serviceAccount: OPERATOR.name,
  audience: 'tollgate-management',
  pod: { name: 'tollgate-operator-1', uid: 'uid-operator' },
};
const GATEWAY: TokenPart = {
  namespace: SYSTEM,
  serviceAccount: 'tollgate-gateway',
  pod: { name: 'tollgate-gateway-1-1', uid: 'uid-gateway' },
};
const ITSELF = { namespace: SYSTEM, workload: 'tollgate-gateway', labels: {}, team: SYSTEM };

describe('a gateway', () => {
  let lite: TestPglite;
  let store: Store;
  let issuer: Issuer;
  let test: TestServer;
  let ledger: HttpLedger;
  let asGateway: string;
  const clock = { now: START };
  const stop = new AbortController();

  const as = async (part: TokenPart, method: string, path: string, body?: unknown): Promise<Answer> =>
    test.ask(method, path, body, { authorization: `Bearer ${await issuer.token(part)}` });
  const tellPods = (...pods: readonly ToldPod[]): Promise<Answer> => as(AS_OPERATOR, 'PUT', '/v1/pods', { pods });
  const tellBudgets = (...names: readonly string[]): Promise<Answer> =>
    as(AS_OPERATOR, 'PUT', '/v1/resources', {
      budgets: [
        ...names.map((name) => aBudget({}, name, 'shop')),
        aBudget({ selector: { matchLabels: { app: 'web' } } }, 'web', 'shop'),
        aBudget({}, 'own', SYSTEM),
      ],
      routes: [],
      inferenceServices: [],
      namespaces: {},
    });
  const review = async (part: TokenPart): Promise<unknown> => ledger.reviewCaller(await issuer.token(part));
  const follow = (caller: { namespace: string; serviceAccount: string; pod: TokenPart['pod'] }) => {
    const seen: Snapshot[] = [];
    void ledger.watchSnapshots({
      instance: 'gateway',
      caller: { ...caller, pod: caller.pod ?? null },
      signal: stop.signal,
      onSnapshot: (snapshot) => seen.push(snapshot),
    });
    return {
      seen,
      budgets: () =>
        seen
          .at(-1)
          ?.budgets.map(({ name }) => name)
          .toSorted(),
      until: async (names: readonly string[]): Promise<void> => {
        const end = Date.now() + 20_000;
        const now = (): string =>
          String(
            seen
              .at(-1)
              ?.budgets.map(({ name }) => name)
              .toSorted(),
          );
        while (now() !== String(names)) {
          if (Date.now() > end) throw new Error(`budgets are ${now()}, not ${String(names)}`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      },
    };
  };

  beforeAll(async () => {
    lite = await startPglite();
    store = await openStore({ connectionString: lite.connectionString, max: 1 });
    issuer = await makeIssuer();
    test = await startTestServer(store, clock, {
      isToldByOperator: true,
      timers: systemTimers,
      authenticate: signedToken({
        keys: createLocalJWKSet({ keys: issuer.keySet.keys as never }),
        issuer: ISSUER,
        ledgerAudience: 'tollgate',
        managementAudience: 'tollgate-management',
        systemNamespace: SYSTEM,
        operator: OPERATOR,
        clock: () => clock.now,
      }),
    });
    await tellBudgets('pool');
    await tellPods(aPod());
    asGateway = await issuer.token(GATEWAY);
    ledger = makeHttpLedger({ serverUrl: test.url, token: () => asGateway, random: () => 0 });
    await ledger.hello({ contract: 1, instance: 'gateway', version: '1', subject: ITSELF });
  }, 60_000);
  afterAll(async () => {
    stop.abort();
    ledger.close();
    await test.server.close();
    await store.close();
    await lite.stop();
  });

  it("is told whose a caller's token is, whatever it is bound to", async () => {
    const pod = { name: 'web-7d4b9c-x2x4z', uid: 'uid-1' };
    expect(await review({})).toEqual({
      accepted: true,
      caller: { namespace: 'shop', serviceAccount: 'web', pod },
      validMs: 600_000,
      unaskedMs: 600_000,
    });
    expect(await review({ pod: null })).toMatchObject({ accepted: true, caller: { namespace: 'shop', pod: null } });
    expect(await review({ expiresAt: START - 1 })).toEqual({ accepted: false, fault: 'expired' });
    expect(await review({ audience: 'elsewhere' })).toEqual({ accepted: false, fault: 'audience' });
    expect(await review({ audience: 'tollgate-management' })).toEqual({ accepted: false, fault: 'audience' });
    expect(await ledger.reviewCaller('no.such.token')).toEqual({ accepted: false, fault: 'invalid' });
    const page = (await test.ask('GET', '/metrics')).text;
    expect(metricValue(page, 'tollgate_server_caller_reviews_total{outcome="accepted"}')).toBe(2);
    expect(metricValue(page, 'tollgate_server_caller_reviews_total{outcome="audience"}')).toBe(2);
  });

  it.each<[string, TokenPart]>([
    ['a proxy of a tenant', {}],
    ['a token that is bound to no pod', { pod: null }],
    ['a token of our own namespace that is bound to no pod', { namespace: SYSTEM, pod: null }],
    ['who looks after the installation', AS_OPERATOR],
  ])('alone may ask: not %s', async (_who, part) => {
    const caller = encodeURIComponent(JSON.stringify(['shop', 'web']));
    for (const [method, path, body] of [
      ['POST', '/v1/callers', { token: await issuer.token() }],
      ['GET', `/v1/snapshots?instance=gateway&caller=${caller}`, undefined],
    ] as const)
      expect(await as(part, method, path, body)).toMatchObject({ status: 403, json: { error: { code: 'forbidden' } } });
  });

  it('is told what is wrong with its question', async () => {
    for (const body of [{}, { token: '' }, { token: 'a b' }, { token: 7 }, { token: 'x'.repeat(8_193) }])
      expect((await as(GATEWAY, 'POST', '/v1/callers', body)).status).toBe(400);
    for (const caller of ['', 'shop', '["shop"]', '["shop","web","pod"]', '["shop","web","pod",7]'])
      expect(
        (await as(GATEWAY, 'GET', `/v1/snapshots?instance=gateway&caller=${encodeURIComponent(caller)}`)).status,
      ).toBe(400);
    expect(
      (await as(GATEWAY, 'GET', `/v1/snapshots?instance=other&caller=${encodeURIComponent('["shop","web"]')}`)).status,
    ).toBe(409);
  });

  it('follows what each of its callers needs: by label where the pod is known, by account else', async () => {
    const known = follow({ namespace: 'shop', serviceAccount: 'web', pod: { name: 'web-7d4b9c-x2x4z', uid: 'uid-1' } });
    const account = follow({ namespace: 'shop', serviceAccount: 'ci', pod: null });
    await known.until(['pool', 'web']);
    await account.until(['pool']);
    expect(known.seen[0]?.subject).toMatchObject({ workload: 'web', workloadKind: 'Deployment', team: 'team-a' });
    expect(account.seen[0]?.subject).toEqual({
      namespace: 'shop',
      workload: 'ci',
      workloadKind: 'ServiceAccount',
      serviceAccount: 'ci',
      labels: {},
      team: 'shop',
    });
    await tellBudgets('pool', 'second');
    await known.until(['pool', 'second', 'web']);
    await account.until(['pool', 'second']);
    await tellPods(aPod({ labels: { app: 'other' } }));
    await known.until(['pool', 'second']);
  });

  describe('in the status of budgets', () => {
    const attached = async (): Promise<Readonly<Record<string, unknown>>> => {
      const { json } = await as(AS_OPERATOR, 'GET', '/v1/budgets');
      const { budgets } = json as { budgets: { columns: { name: string }; attached: unknown }[] };
      return Object.fromEntries(budgets.map(({ columns, attached: found }) => [columns.name, found]));
    };
    const say = (callers: unknown, part = GATEWAY): Promise<Answer> =>
      as(part, 'POST', '/v1/running', { instance: 'gateway', snapshot: 'own', callers });
    const NOBODY = { pods: 0, onVersion: 0 };

    it('counts for those that bind its callers, by the versions that it says it runs for them, and not for its own', async () => {
      await tellBudgets('pool', 'second');
      await tellPods(aPod());
      const known = follow({
        namespace: 'shop',
        serviceAccount: 'web',
        pod: { name: 'web-7d4b9c-x2x4z', uid: 'uid-1' },
      });
      const account = follow({ namespace: 'shop', serviceAccount: 'ci', pod: null });
      await known.until(['pool', 'second', 'web']);
      await account.until(['pool', 'second']);
      const versionOf = ({ seen }: ReturnType<typeof follow>): string => seen.at(-1)?.version ?? '';
      const ofPod = { caller: '["shop","web","web-7d4b9c-x2x4z","uid-1"]', snapshot: versionOf(known) };
      const ofAccount = { caller: '["shop","ci"]', snapshot: versionOf(account) };
      expect((await say([])).status).toBe(204);
      expect(await attached()).toEqual({ own: NOBODY, pool: NOBODY, second: NOBODY, web: NOBODY });
      expect((await say([ofAccount])).status).toBe(204);
      const current = { ...NOBODY, gateways: { count: 1, onVersion: 1 } };
      expect(await attached()).toEqual({ own: NOBODY, pool: current, second: current, web: NOBODY });
      await say([ofAccount, { ...ofPod, snapshot: 'former' }]);
      const behind = { ...NOBODY, gateways: { count: 1, onVersion: 0 } };
      expect(await attached()).toEqual({ own: NOBODY, pool: behind, second: behind, web: behind });
      await say([ofAccount, ofPod]);
      expect(await attached()).toEqual({ own: NOBODY, pool: current, second: current, web: current });
      await tellBudgets('pool', 'third');
      expect(await attached()).toEqual({ own: NOBODY, pool: behind, third: behind, web: behind });
    });

    it('is believed by who speaks for callers alone, and told what is wrong with its list', async () => {
      await as({}, 'POST', '/v1/hello', {
        contract: 1,
        instance: 'tenant',
        version: '1',
        subject: { ...ITSELF, namespace: 'shop', workload: 'web' },
      });
      const tenant = { instance: 'tenant', snapshot: 'v', callers: [] };
      expect(await as({}, 'POST', '/v1/running', tenant)).toMatchObject({
        status: 403,
        json: { error: { code: 'forbidden', message: expect.stringContaining('gateway') } },
      });
      for (const callers of [
        {},
        'shop',
        [7],
        [{}],
        [{ caller: 'shop', snapshot: 'v' }],
        [{ caller: '["shop"]', snapshot: 'v' }],
        [{ caller: '["shop","ci"]' }],
        [{ caller: '["shop","ci"]', snapshot: '' }],
        [{ caller: '["shop","ci"]', snapshot: 7 }],
      ])
        expect((await say(callers)).status).toBe(400);
    });
  });
});
