/**
 * `kubectl tollgate get` against a real API server: who may, who may not, and what is missing. There is no node, so nobody
 * gets as far as the server; e2e/src/cluster does.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '@tollgate/testkit/kubernetes';
import { testIo, type TestIo } from '../../testing/test-io.ts';
import { aDeployment } from '../testing/workloads.ts';

const SYSTEM = 'tollgate-system';
const START_MS = 180_000;

const labels = (component: string): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/name': 'tollgate',
  'app.kubernetes.io/instance': 'tollgate',
  'app.kubernetes.io/component': component,
  'app.kubernetes.io/part-of': 'tollgate',
});
const program = (component: string): object =>
  aDeployment({}, { metadata: { name: `tollgate-${component}`, namespace: SYSTEM, labels: labels(component) } });

let plane: ControlPlane;
let io: TestIo;
const apply = (...items: readonly object[]): Promise<string> =>
  plane.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
/** Exit code and what was said, on one line each. */
const get = async (...options: readonly string[]): Promise<string> => {
  const code = await io.tollgate('get', 'tokenbudgets', ...options);
  return `${String(code)} ${io.err()}`;
};

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
const LIST_DEPLOYMENTS: Rule = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] };
const LIST_PODS: Rule = { apiGroups: [''], resources: ['pods'], verbs: ['list'] };
const MAKE_TOKENS: Rule = { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] };

/** Somebody with these rights in the system namespace, and no others. */
const somebody = async (name: string, rules: readonly Rule[]): Promise<string> => {
  const metadata = { name, namespace: SYSTEM };
  await apply(
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }],
    },
  );
  return plane.kubeconfigOf({ commonName: name, groups: ['system:authenticated'] });
};

beforeAll(async () => {
  plane = await startControlPlane();
  for (const name of ['shop', SYSTEM]) await plane.kubectl(['create', 'namespace', name]);
}, START_MS);
afterAll(() => plane?.stop(), 60_000);
beforeEach(() => {
  io = testIo({ KUBECONFIG: plane.kubeconfigPath }, true);
});

describe('kubectl tollgate get, on the way to the server', () => {
  it('finds no installation, and says where else it may be', async () => {
    expect(await get()).toMatch(/^69 tollgate: no Tollgate is found in this cluster\n {2}.*--system-namespace/);
    io = testIo({ KUBECONFIG: plane.kubeconfigPath });
    expect(await get('--system-namespace', 'elsewhere')).toMatch(
      /^69 tollgate: no Tollgate is found in namespace elsewhere\n/,
    );
  });

  it('asks the cluster only as a plugin, or where an option names one', async () => {
    io = testIo({ KUBECONFIG: plane.kubeconfigPath });
    expect(await get()).toMatch(
      /^69 tollgate: no running server is written in .*\n.*`tollgate serve`.*kubectl tollgate/,
    );
    expect(await get('--kubeconfig', plane.kubeconfigPath)).toContain('no Tollgate is found in this cluster');
    expect(await get('--context', 'nowhere')).toContain('context nowhere is missing');
  });

  it('sees that no pod of the server is ready', async () => {
    await apply(program('operator'), program('server'));
    expect(await get()).toMatch(
      /^69 tollgate: no pod of the server is ready in namespace tollgate-system\n.*kubectl get pods -n tollgate-system -l .*component=server\n$/,
    );
  });

  it('needs an account that is there', async () => {
    await apply({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'tollgate-server-0', namespace: SYSTEM, labels: labels('server') },
      spec: { containers: [{ name: 'server', image: 'server' }] },
    });
    const conditions = [{ type: 'Ready', status: 'True' }];
    await plane.kubectl(
      ['patch', 'pod', 'tollgate-server-0', '-n', SYSTEM, '--subresource=status', '--type=merge', '-p'].concat(
        JSON.stringify({ status: { phase: 'Running', conditions } }),
      ),
    );
    expect(await get('--service-account', 'nobody')).toMatch(
      /^64 tollgate: there is no ServiceAccount nobody in namespace tollgate-system\n.*kubectl get serviceaccounts -n tollgate-system/,
    );
  });

  it('takes a token of its namespace, and then cannot reach a pod that runs nowhere', async () => {
    const accounts = ['shop', SYSTEM].map((namespace) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    }));
    await apply(...accounts);
    for (const options of [[], ['-n', 'shop']]) {
      io = testIo({ KUBECONFIG: plane.kubeconfigPath }, true);
      expect(await get(...options)).toMatch(
        /^69 tollgate: the server's pod tollgate-server-0 cannot be reached: .*\n.*kubectl port-forward -n tollgate-system pod\/tollgate-server-0/,
      );
    }
  });

  it.each([
    ['nothing', [], 'list Deployments in namespace tollgate-system', 'list on deployments.apps'],
    ['finds', [LIST_DEPLOYMENTS], "list the server's pods", 'list on pods'],
    [
      'sees',
      [LIST_DEPLOYMENTS, LIST_PODS],
      'ask for a token of ServiceAccount tollgate-system/default',
      'create on serviceaccounts/token',
    ],
    [
      'speaks',
      [LIST_DEPLOYMENTS, LIST_PODS, MAKE_TOKENS],
      "forward a port of the server's pod in namespace tollgate-system",
      'get and create on pods/portforward',
    ],
  ] as const)('tells somebody who %s which right is missing', async (name, rules, doing, right) => {
    const said = await get('--kubeconfig', await somebody(name, rules));
    expect(said).toContain(`1 tollgate: you may not ${doing}`);
    expect(said).toContain(`ask for a Role there with ${right}`);
  });
});
