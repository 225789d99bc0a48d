/** The commands as a user runs them, against a real API server; no node, so what runs in pods is not there. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startControlPlane, type ControlPlane } from '@tollgate/testkit/kubernetes';
import { parseAllDocuments } from 'yaml';
import { testIo, type TestIo } from '../testing/test-io.ts';
import { aDeployment, env, PROXY_IMAGE } from './testing/workloads.ts';

const SYSTEM = 'tollgate-system';
const START_MS = 180_000;

let plane: ControlPlane;
let home: string;
let io: TestIo;
const apply = (...items: readonly object[]): Promise<string> =>
  plane.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
const tollgate = (...argv: readonly string[]): Promise<number> => io.tollgate(...argv);
const said = (): unknown => JSON.parse(io.out());

beforeAll(async () => {
  plane = await startControlPlane({ crds: true });
  home = await mkdtemp(join(tmpdir(), 'tollgate-cli-cluster-'));
  for (const name of ['shop', SYSTEM]) await plane.kubectl(['create', 'namespace', name]);
  await apply(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'llm', namespace: 'shop' },
      data: { GEMINI_API_KEY: 'x' },
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'openai-keys', namespace: 'shop' },
      stringData: { k: 'sk-hidden' },
    },
    aDeployment({ env: env({ OPENAI_API_KEY: 'sk-hidden' }) }),
    aDeployment({ envFrom: [{ configMapRef: { name: 'llm' } }] }, { metadata: { name: 'mapped' } }),
    aDeployment({ envFrom: [{ secretRef: { name: 'openai-keys' } }] }, { metadata: { name: 'secret' } }),
    aDeployment({ env: env({ PORT: '80' }) }, { metadata: { name: 'plain' } }),
    aDeployment({ env: env({ ANTHROPIC_API_KEY: 'y' }) }, { metadata: { namespace: 'default' } }),
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly', namespace: 'shop' },
      spec: {
        schedule: '0 0 * * *',
        jobTemplate: {
          spec: {
            template: {
              spec: {
                restartPolicy: 'Never',
                hostNetwork: true,
                containers: [{ name: 'app', image: 'a', env: env({ OPENAI_API_KEY: 'z' }) }],
              },
            },
          },
        },
      },
    },
  );
}, START_MS);
afterAll(async () => {
  await plane?.stop();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
}, 60_000);
beforeEach(() => {
  io = testIo({ KUBECONFIG: plane.kubeconfigPath });
});

interface Scan {
  readonly installed: boolean;
  readonly workloads: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly coverage: string;
    readonly reason: string | null;
  }[];
  readonly unread: readonly string[];
}
interface Findings {
  readonly findings: readonly { readonly severity: string; readonly object: string; readonly message: string }[];
}

describe('before there is an installation', () => {
  it('scan finds who calls language models, by names alone', async () => {
    expect(await tollgate('scan', '-n', 'shop', '-o', 'json')).toBe(0);
    const { installed, workloads, unread } = said() as Scan;
    expect([installed, unread]).toEqual([false, []]);
    expect(workloads.map(({ name, coverage, reason }) => [name, coverage, reason])).toEqual([
      ['nightly', 'None', 'HostNetwork'],
      ['mapped', 'Full', null],
      ['secret', 'Unknown', null],
      ['web', 'Full', null],
    ]);
    expect(io.out()).not.toContain('sk-hidden');
  });

  it('scan takes the namespace of the context, and with -A all of them', async () => {
    expect(await tollgate('scan')).toBe(0);
    expect(io.out()).toMatch(/^NAMESPACE.*\ndefault +deployment\/web +3 +anthropic +no +yes\n\n/);
    expect(await tollgate('scan', '-A', '-o', 'json')).toBe(0);
    expect(io.out()).toContain('"namespace": "shop"');
  });

  it('scan goes on without what its reader may not see, and says so', async () => {
    await apply(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'reader', namespace: 'shop' },
        rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] }],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'reader', namespace: 'shop' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'User', name: 'reader', apiGroup: 'rbac.authorization.k8s.io' }],
      },
    );
    const kubeconfig = await plane.kubeconfigOf({ commonName: 'reader', groups: ['system:authenticated'] });
    expect(await tollgate('scan', '-n', 'shop', '--kubeconfig', kubeconfig, '-o', 'json')).toBe(0);
    const { workloads, unread } = said() as Scan;
    expect(workloads.map(({ name }) => name)).toContain('web');
    expect(unread.join()).toContain('list CronJob');
    expect(unread.join()).toContain('get ConfigMap shop/llm');
  });

  it('scan and check never take for well what is not there, or may not be seen', async () => {
    expect(await tollgate('scan', '-n', 'nowhere')).toBe(1);
    expect(await tollgate('check', '-n', 'nowhere')).toBe(1);
    expect(io.err().match(/namespace "nowhere" not found/g)).toHaveLength(2);
    const kubeconfig = await plane.kubeconfigOf({ commonName: 'nobody', groups: ['system:authenticated'] });
    expect(await tollgate('scan', '-A', '--kubeconfig', kubeconfig)).toBe(1);
    expect(io.err()).toMatch(/no workload may be listed: .*\n.*stay within a namespace of your own with -n/);
    expect(await tollgate('check', '--kubeconfig', kubeconfig)).toBe(1);
    expect(io.out()).toMatch(
      /error +check: nothing of Tollgate may be looked at\n +kubectl tollgate check -n NAMESPACE/,
    );
  });

  it('check, grant, inject and uninstall say that there is none, and what to do', async () => {
    expect(await tollgate('check')).toBe(1);
    expect(io.out()).toContain('error    cluster: Tollgate is not installed here\n         helm install');
    expect(await tollgate('grant', 'secret', 'keys')).toBe(1);
    expect(await tollgate('uninstall')).toBe(1);
    expect(io.err().match(/Tollgate is not installed/g)).toHaveLength(2);
    expect(await tollgate('scan', '--context', 'nowhere')).toBe(64);
    expect(io.err()).toContain('context nowhere is missing');
  });

  it('check says where an installation stopped half-way, and at which image', async () => {
    const name = 'tollgate-stores-passwords';
    const labels = { 'app.kubernetes.io/name': 'tollgate', 'app.kubernetes.io/instance': 'mine' };
    const metadata = { name, namespace: SYSTEM };
    const spec = { automountServiceAccountToken: false, serviceAccountName: name };
    await apply(
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { ...metadata, labels: { ...labels, 'app.kubernetes.io/part-of': 'tollgate' } },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, labels },
        spec: { ...spec, containers: [{ name: 'script', image: 'here/server:9' }] },
      },
    );
    const waiting = { state: { waiting: { reason: 'ImagePullBackOff' } }, image: 'here/server:9', name: 'script' };
    const status = { containerStatuses: [{ ...waiting, imageID: '', ready: false, restartCount: 0 }] };
    const patch = ['--type=merge', '-p', JSON.stringify({ status })];
    await plane.kubectl(['patch', 'pod', name, '-n', SYSTEM, '--subresource=status', ...patch]);
    expect(await tollgate('check')).toBe(1);
    expect(io.out()).toMatch(
      /only parts of release mine are there: .*has failed; tollgate-stores-passwords: ImagePullBackOff here\/server:9\n/,
    );
    expect(io.out()).toContain('helm uninstall mine -n tollgate-system');
    for (const kind of ['pod', 'serviceaccount']) await plane.kubectl(['delete', kind, name, '-n', SYSTEM, '--now']);
  });

  it('inject needs no cluster where the settings are named', async () => {
    const [settings, manifest] = [join(home, 'settings.yaml'), join(home, 'web.yaml')];
    await writeFile(settings, `proxyImage: ${PROXY_IMAGE}\nserverUrl: http://server\n`);
    await writeFile(manifest, JSON.stringify(aDeployment()));
    io = testIo({ KUBECONFIG: '/nonexistent' });
    expect(await tollgate('inject', '-f', manifest, '--settings', settings)).toBe(0);
    expect(io.out()).toContain(PROXY_IMAGE);
    await writeFile(settings, 'proxyImage: UPPER\n');
    expect(await tollgate('inject', '-f', manifest, '--settings', settings)).toBe(64);
    expect(io.err()).toMatch(/proxyImage: .*; serverUrl: /);
  });
});

describe('with the objects of an installation', () => {
  const labels = (component: string): object => ({
    'app.kubernetes.io/name': 'tollgate',
    'app.kubernetes.io/instance': 'tollgate',
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/part-of': 'tollgate',
    'app.kubernetes.io/version': '0.1.0',
    'app.kubernetes.io/managed-by': 'Helm',
  });
  const program = (component: string): object =>
    aDeployment({}, { metadata: { name: `tollgate-${component}`, namespace: SYSTEM, labels: labels(component) } });
  const pod = (name: string, metadata: object, spec: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { containers: [{ name: 'app', image: 'app' }], ...spec },
  });

  beforeAll(async () => {
    await apply(
      program('operator'),
      program('server'),
      program('injector'),
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'tollgate-injection', namespace: SYSTEM, labels: labels('injection') },
        data: { 'injection.yaml': `proxyImage: ${PROXY_IMAGE}\nserverUrl: http://server\nport: 4500\n` },
      },
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'tollgate-injector', labels: labels('injector') },
        // Asked about no kind that is made here.
        webhooks: [
          {
            name: 'pod.inject.tollgate.dev',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            clientConfig: { url: 'https://127.0.0.1:1/pods' },
            rules: [{ apiGroups: ['none.test'], apiVersions: ['v1'], resources: ['none'], operations: ['CREATE'] }],
          },
        ],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'tollgate-budget-admin', labels: labels('roles') },
        rules: [{ apiGroups: ['tollgate.dev'], resources: ['tokenbudgets'], verbs: ['*'] }],
      },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'tollgate-stores', namespace: SYSTEM, labels: { 'app.kubernetes.io/name': 'tollgate' } },
      },
      {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'team', namespace: 'shop' },
        spec: { limits: [{ name: 'daily', cost: { max: '10.00' }, period: 'Day' }] },
      },
      pod('bare', { annotations: { 'tollgate.dev/inject': 'true' } }),
      pod('forged', { labels: { 'tollgate.dev/injected': 'true' } }),
      pod(
        'carrier',
        { labels: { 'tollgate.dev/injected': 'true' } },
        {
          initContainers: [{ name: 'tollgate-proxy', image: PROXY_IMAGE, restartPolicy: 'Always' }],
        },
      ),
    );
    await plane.kubectl(['label', 'namespace', 'kube-system', 'tollgate.dev/injection=enabled']);
  }, 60_000);

  it('check finds what does not run, what is not trusted, who lacks the proxy, and the dry run that stays bare', async () => {
    expect(await tollgate('check', '-o', 'json')).toBe(1);
    const { findings } = said() as Findings;
    const told = findings.map(({ severity, object, message }) => `${severity} ${object}: ${message}`);
    for (const words of [
      /^ok crds: 3 kinds/,
      /^error deployment\/tollgate-server -n tollgate-system: 0 of 3 ready/,
      /^error mutatingwebhookconfiguration\/tollgate-injector: has no caBundle that is valid now in pod\.inject/,
      /^error namespace\/default: a pod that asks for the proxy starts without it/,
      /^error lease -n tollgate-system: no operator has ever led/,
      /^warning tokenbudget\/team -n shop: has no word of the operator yet/,
      /^warning namespace\/kube-system: has the label/,
      /^error pod\/bare -n shop: asks for the proxy and lacks it/,
      /^error pod\/forged -n shop: bears the proxy's label without the proxy/,
      /^ok pods: 1 carry the proxy/,
    ])
      expect(told).toContainEqual(expect.stringMatching(words));
    // It was a dry run.
    expect(await plane.kubectl(['get', 'pods', '-n', 'default', '-o', 'name'])).toBe('');
  });

  it('check -n looks at the budgets and pods of one namespace', async () => {
    await tollgate('check', '-n', SYSTEM, '-o', 'json');
    expect(io.out()).not.toContain('pod/bare');
  });

  it('check --proxy says of one pod what there is', async () => {
    expect(await tollgate('check', '--proxy', 'bare', '-n', 'shop')).toBe(1);
    expect(io.out()).toContain('asks for the proxy and lacks it: its calls are not metered');
    expect(await tollgate('check', '--proxy', 'pod/carrier', '-n', 'shop')).toBe(1);
    expect(io.out()).toContain('the proxy does not run');
    expect(io.out()).toContain('its image is what new pods get');
    expect(await tollgate('check', '--proxy', 'gone', '-n', 'shop')).toBe(1);
    expect(io.err()).toContain('pods "gone" not found in namespace shop');
  });

  describe('as somebody with rights in one namespace', () => {
    let kubeconfig = '';
    beforeAll(async () => {
      // What the chart and Kubernetes let an editor of a namespace read there.
      const metadata = { name: 'ed', namespace: 'shop' };
      const read = (apiGroups: readonly string[], resources: readonly string[]): object => ({
        apiGroups,
        resources,
        verbs: ['get', 'list'],
      });
      await apply(
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata,
          rules: [
            read(['tollgate.dev'], ['*']),
            read(['apps', 'batch'], ['*']),
            read([''], ['pods', 'configmaps', 'namespaces']),
          ],
        },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata,
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'ed' },
          subjects: [{ kind: 'User', name: 'ed', apiGroup: 'rbac.authorization.k8s.io' }],
        },
      );
      kubeconfig = await plane.kubeconfigOf({ commonName: 'ed', groups: ['system:authenticated'] });
    });

    it('check -n looks at the budgets and pods there, and says what it could not look at', async () => {
      expect(await tollgate('check', '-n', 'shop', '--kubeconfig', kubeconfig)).toBe(1);
      expect(io.out()).toMatch(/info +installation: could not be read: list Deployment/);
      expect(io.out()).toMatch(/error +pod\/bare -n shop: asks for the proxy and lacks it/);
      expect(io.out()).toMatch(/warning +tokenbudget\/team -n shop: has no word of the operator yet/);
      expect(io.out()).not.toContain('helm install');
    });

    it('scan does not tell them to install what is installed', async () => {
      expect(await tollgate('scan', '-n', 'shop', '--kubeconfig', kubeconfig)).toBe(0);
      expect(io.out()).toMatch(/Next:\n {2}kubectl annotate deployment\/mapped -n shop tollgate\.dev\/inject=true\n/);
      expect(io.out()).toMatch(/Not everything could be read:\n {2}how pods are injected there: list Deployment/);
    });

    it('inject says how to go on without the settings of the cluster', async () => {
      const file = join(home, 'ed.yaml');
      await writeFile(file, JSON.stringify(aDeployment()));
      expect(await tollgate('inject', '-f', file, '-n', 'shop', '--kubeconfig', kubeconfig)).toBe(1);
      expect(io.err()).toMatch(/how pods are injected could not be read: .*\n.*--settings FILE/);
    });
  });

  it('grant says how a ServiceAccount is written', async () => {
    expect(await tollgate('grant', 'budget-admin', 'default', '--kind', 'serviceaccount', '-n', 'shop')).toBe(64);
    expect(io.err()).toMatch(/a ServiceAccount is written namespace:name, and not default\n.*shop:default/);
  });

  it('inject goes by the settings and routes of the cluster, and what it prints is taken', async () => {
    await apply({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'ModelRoute',
      metadata: { name: 'chat', namespace: 'shop' },
      spec: {
        rules: [
          {
            name: 'all',
            models: ['*'],
            backends: [
              { name: 'openai', provider: { type: 'OpenAI', credentialsSecretRef: { name: 'openai-keys', key: 'k' } } },
            ],
          },
        ],
      },
    });
    const file = join(home, 'installed.yaml');
    await writeFile(file, JSON.stringify(aDeployment()));
    expect(await tollgate('inject', '-f', file)).toBe(0);
    expect(io.out()).toContain('http://127.0.0.1:4500/openai/v1');
    expect(io.out()).toContain('keys/openai-keys/k');
    await plane.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], io.out());
  });

  it('grant prints what it would apply, and with --apply the operator sees that Secret and no other', async () => {
    expect(await tollgate('grant', 'secret', 'openai-keys', '-n', 'shop')).toBe(0);
    expect(parseAllDocuments(io.out()).map((document) => document.get('kind'))).toEqual(['Role', 'RoleBinding']);
    const as = `system:serviceaccount:${SYSTEM}:tollgate-operator`;
    const may = (name: string): Promise<string> =>
      plane.kubectl(['auth', 'can-i', 'get', `secret/${name}`, '-n', 'shop', '--as', as]).catch(() => 'no');
    expect(await may('openai-keys')).not.toContain('yes');
    expect(await tollgate('grant', 'secret', 'openai-keys', '-n', 'shop', '--apply')).toBe(0);
    expect(await tollgate('grant', 'secret', 'openai-keys', '-n', 'shop', '--apply')).toBe(0);
    expect(await may('openai-keys')).toContain('yes');
    expect(await may('others')).not.toContain('yes');
  });

  it('grant budget-admin lets one write budgets in one namespace', async () => {
    expect(await tollgate('grant', 'budget-admin', 'jane@shop.test', '-n', 'shop', '--apply')).toBe(0);
    const may = (namespace: string): Promise<string> =>
      plane
        .kubectl(['auth', 'can-i', 'create', 'tokenbudgets.tollgate.dev', '-n', namespace, '--as', 'jane@shop.test'])
        .catch(() => 'no');
    expect(await may('shop')).toContain('yes');
    expect(await may('default')).not.toContain('yes');
  });

  it('uninstall changes nothing by itself, and with --yes only what could keep pods from starting', async () => {
    const webhooks = () => plane.kubectl(['get', 'mutatingwebhookconfigurations', '-o', 'name']);
    expect(await tollgate('uninstall', '--dry-run', '--yes')).toBe(0);
    expect(io.out()).toContain('deployment/tollgate-server -n tollgate-system');
    expect(io.out()).toMatch(/Stays[^]*secret\/tollgate-stores -n tollgate-system[^]*crd\/tokenbudgets\.tollgate\.dev/);
    expect(io.out()).toContain('pod/carrier -n shop (1 pod)');
    expect(io.out()).toContain('removes 1 budget, 1 route and 0 inference services');
    expect(io.out()).toContain('helm uninstall tollgate -n tollgate-system');
    expect(await webhooks()).toContain('tollgate-injector');
    expect(await tollgate('uninstall', '--yes')).toBe(0);
    expect(await webhooks()).not.toContain('tollgate-injector');
    expect(await plane.kubectl(['get', 'deployments', '-n', SYSTEM, '-o', 'name'])).toContain('tollgate-server');
  });
});
