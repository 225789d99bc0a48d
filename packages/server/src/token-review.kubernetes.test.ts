/** Who a token is, by a real API server: as in a cluster, but for the nodes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recordingLogger, type RecordingLogger } from '@tollgate/runtime/testing';
import { startControlPlane, type ControlPlane } from '@tollgate/testkit/kubernetes';
import { openStore, type Store } from '@tollgate/store';
import { startPglite, type TestPglite } from '@tollgate/store/testing';
import { makeKubernetesApi, type KubernetesApi } from './auth/kubernetes-api.ts';
import { kubernetesTokenReview } from './auth/kubernetes-token-review.ts';
import { aBudget } from './testing/a-budget.ts';
import { aPod } from './testing/a-pod.ts';
import { metricValue } from './testing/metric-value.ts';
import { startTestServer, type Answer, type TestServer } from './testing/test-server.ts';

const OPERATOR = { namespace: 'tollgate-system', name: 'tollgate-operator' };
const AUDIENCES = { ledger: 'tollgate', management: 'tollgate-management' };

describe('tokens of a cluster', () => {
  let cluster: ControlPlane;
  let lite: TestPglite;
  let store: Store;
  let api: KubernetesApi;
  let dir: string;
  let test: TestServer;
  let logger: RecordingLogger;
  let uid: string;
  let podToken: string;
  /** Beside the machine's, which the API server goes by. */
  let ahead = 0;

  const create = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await cluster.request(path, { method: 'POST', body });
    if (answer.status !== 201) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as Record<string, unknown>;
  };
  const named = (kind: string, name: string, rest: object = {}, apiVersion = 'v1') => ({
    apiVersion,
    kind,
    metadata: { name },
    ...rest,
  });
  const account = (namespace: string, name: string) =>
    create(`/api/v1/namespaces/${namespace}/serviceaccounts`, named('ServiceAccount', name));
  const ownToken = () => cluster.tokenOf({ namespace: 'tollgate-system', serviceAccount: 'tollgate-server' });

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tollgate-tokens-'));
    [cluster, lite] = await Promise.all([startControlPlane(), startPglite()]);
    for (const name of ['shop', 'tollgate-system']) await create('/api/v1/namespaces', named('Namespace', name));
    await account('shop', 'web');
    await account('tollgate-system', 'tollgate-server');
    await account('tollgate-system', OPERATOR.name);
    // All that the server may do in a cluster: ask who a token is.
    await create(
      '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      named(
        'ClusterRole',
        'tollgate-server',
        { rules: [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }] },
        'rbac.authorization.k8s.io/v1',
      ),
    );
    await create(
      '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      named(
        'ClusterRoleBinding',
        'tollgate-server',
        {
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'tollgate-server' },
          subjects: [{ kind: 'ServiceAccount', namespace: 'tollgate-system', name: 'tollgate-server' }],
        },
        'rbac.authorization.k8s.io/v1',
      ),
    );
    const pod = await create(
      '/api/v1/namespaces/shop/pods',
      named('Pod', 'web-7d4b9c-x2x4z', {
        spec: { serviceAccountName: 'web', containers: [{ name: 'app', image: 'app' }] },
      }),
    );
    ({ uid } = pod['metadata'] as { uid: string });
    podToken = await cluster.tokenOf({
      namespace: 'shop',
      serviceAccount: 'web',
      audiences: [AUDIENCES.ledger],
      pod: { name: 'web-7d4b9c-x2x4z', uid },
    });
    writeFileSync(join(dir, 'token'), await ownToken());
    store = await openStore({ connectionString: lite.connectionString, max: 1 });
    logger = recordingLogger();
    const now = () => Date.now() + ahead;
    api = makeKubernetesApi({
      url: cluster.url,
      tokenFile: join(dir, 'token'),
      caFile: cluster.caFile,
      timeoutMs: 5_000,
    });
    test = await startTestServer(
      store,
      { now: 0 },
      {
        clock: now,
        logger,
        isToldByOperator: true,
        authenticate: kubernetesTokenReview({
          api,
          ledgerAudience: AUDIENCES.ledger,
          managementAudience: AUDIENCES.management,
          systemNamespace: 'tollgate-system',
          operator: OPERATOR,
          clock: now,
          logger,
        }),
      },
    );
  }, 180_000);
  afterAll(async () => {
    await test.server.close();
    api.close();
    await store.close();
    await Promise.all([cluster.stop(), lite.stop()]);
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  const ask = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    test.ask(method, path, body, { authorization: `Bearer ${token}` });
  const hello = (token: string) =>
    ask(token, 'POST', '/v1/hello', {
      contract: 1,
      instance: 'i',
      version: '1',
      subject: { namespace: 'shop', workload: 'web', labels: {}, team: 'shop' },
    });
  const tokenOf = (namespace: string, serviceAccount: string, audience: string) =>
    cluster.tokenOf({ namespace, serviceAccount, audiences: [audience] });

  it('let the operator say what holds, and a tenant nothing', async () => {
    const resources = { budgets: [aBudget({}, 'pool', 'shop')], routes: [], inferenceServices: [], namespaces: {} };
    const operator = await tokenOf('tollgate-system', OPERATOR.name, AUDIENCES.management);
    const tenant = await tokenOf('shop', 'web', AUDIENCES.management);
    expect((await ask(tenant, 'PUT', '/v1/resources', resources)).status).toBe(403);
    expect((await ask(tenant, 'PUT', '/v1/pods', { pods: [] })).status).toBe(403);
    expect((await ask(operator, 'PUT', '/v1/resources', resources)).status).toBe(200);
    expect((await ask(tenant, 'GET', '/v1/budgets')).json).toMatchObject({ budgets: [{ columns: { name: 'pool' } }] });
    expect((await hello(podToken)).json).toMatchObject({ error: { code: 'unknown_pod' } });
    expect((await ask(operator, 'PUT', '/v1/pods', { pods: [aPod({ uid })] })).status).toBe(204);
    expect((await hello(podToken)).json).toMatchObject({
      subject: { namespace: 'shop', workload: 'web', pod: 'web-7d4b9c-x2x4z', team: 'team-a' },
    });
  });

  it('are of use for what they were made for, and as they were made', async () => {
    const forApi = await cluster.tokenOf({ namespace: 'shop', serviceAccount: 'web' });
    const unbound = await tokenOf('shop', 'web', AUDIENCES.ledger);
    const forManagement = await tokenOf('shop', 'web', AUDIENCES.management);
    const forged = `${podToken.slice(0, -8)}AAAAAAAA`;
    const [head = '', payload = '', signature = ''] = podToken.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const raised = Buffer.from(JSON.stringify({ ...claims, aud: [AUDIENCES.management] })).toString('base64url');
    // It is known whose it is, which is enough to call through a gateway, and for nothing here.
    expect((await hello(unbound)).status).toBe(403);
    for (const token of [forApi, forged, `${head}.${raised}.${signature}`, 'nonsense', cluster.adminToken]) {
      expect((await hello(token)).status).toBe(401);
    }
    expect((await hello(forManagement)).status).toBe(403);
    expect((await ask(podToken, 'GET', '/v1/budgets')).status).toBe(403);
  });

  it('hold for a while when the API server is gone, and those that nobody asked about before do not', async () => {
    expect((await hello(podToken)).status).toBe(200);
    const fresh = await tokenOf('shop', 'web', AUDIENCES.management);
    await cluster.killApiServer();
    expect((await hello(podToken)).status).toBe(200);
    ahead = 120_000;
    expect((await hello(podToken)).status).toBe(200);
    expect(await ask(fresh, 'GET', '/v1/budgets')).toMatchObject({
      status: 503,
      json: { error: { code: 'authentication_unavailable' } },
    });
    ahead = 16 * 60_000;
    expect((await hello(podToken)).status).toBe(503);
    ahead = 0;
    await cluster.startApiServer();
    expect((await hello(podToken)).status).toBe(200);
    expect((await ask(fresh, 'GET', '/v1/budgets')).status).toBe(200);
  }, 120_000);

  it('are asked about with our own token of the moment', async () => {
    ahead += 61_000;
    writeFileSync(join(dir, 'token'), 'expired');
    const fresh = await tokenOf('shop', 'web', AUDIENCES.management);
    expect((await ask(fresh, 'GET', '/v1/budgets')).status).toBe(503);
    writeFileSync(join(dir, 'token'), await ownToken());
    expect((await ask(fresh, 'GET', '/v1/budgets')).status).toBe(200);
  });

  it('end with their pod, a minute after the API server has noticed', async () => {
    const refused = async (): Promise<number> =>
      metricValue((await test.ask('GET', '/metrics')).text, 'tollgate_server_refused_total{reason="token_signature"}');
    const before = await refused();
    const { status } = await cluster.request('/api/v1/namespaces/shop/pods/web-7d4b9c-x2x4z?gracePeriodSeconds=0', {
      method: 'DELETE',
    });
    expect(status).toBe(200);
    // It keeps what it said of a token for ten seconds itself.
    for (let tries = 0; tries < 30 && (await refused()) === before; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      ahead += 61_000;
      await hello(podToken);
    }
    expect(await refused()).toBe(before + 1);
    expect((await hello(podToken)).status).toBe(401);
  }, 60_000);

  it('stand in no line of the log', () => {
    const text = JSON.stringify(logger.lines);
    expect(text).not.toContain(podToken.slice(0, 40));
    expect(logger.lines.length).toBeGreaterThan(0);
  });
});
