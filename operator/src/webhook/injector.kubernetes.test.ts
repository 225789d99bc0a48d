import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startInjectorCluster, type InjectorCluster } from './testing/injector-cluster.ts';

interface Stored {
  readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec: {
    readonly initContainers?: readonly {
      readonly name: string;
      readonly restartPolicy?: string;
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly containers: readonly {
      readonly name: string;
      readonly env?: readonly { name: string; value: string }[];
    }[];
  };
}

let cluster: InjectorCluster;
const kubectl = (...args: readonly string[]): Promise<string> => cluster.api.kubectl(args);

/** As long as a busy machine may need. */
const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
  const end = Date.now() + 45_000;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > end) throw new Error(`not so in 45 s: ${what}`);
    await sleep(100);
  }
};

beforeAll(async () => {
  cluster = await startInjectorCluster();
  while ((await cluster.rotator.step()).do !== 'wait');
  await until('the injector is ready', async () => (await fetch(`${cluster.injector.adminUrl}/readyz`)).ok);
  const namespaces: readonly [string, string | null][] = [
    ['shop', null],
    ['on', 'enabled'],
    ['must', 'required'],
    ['off', 'disabled'],
    ['strict', null],
  ];
  for (const [name, mode] of namespaces) {
    await kubectl('create', 'namespace', name);
    if (mode !== null) await kubectl('label', 'namespace', name, `tollgate.dev/injection=${mode}`);
  }
  await kubectl('label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted');
  for (const [name] of namespaces)
    await until('the account of a namespace', async () => (await kubectl('get', 'sa', 'default', '-n', name)) !== '');
}, 180_000);
afterAll(() => cluster?.stop(), 60_000);

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const podOf = (name: string, namespace: string, metadata: object = {}, spec: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, ...metadata },
  spec: { containers: [{ name: 'app', image: 'app', securityContext: RESTRICTED }], ...spec },
});
const asks = { annotations: { 'tollgate.dev/inject': 'true' } };
const declines = { annotations: { 'tollgate.dev/inject': 'false' } };
const make = (object: object): Promise<string> => cluster.api.kubectl(['create', '-f', '-'], JSON.stringify(object));
const read = async (kind: string, name: string, namespace: string): Promise<Stored> =>
  JSON.parse(await kubectl('get', kind, name, '-n', namespace, '-o', 'json')) as Stored;
const initOf = async (name: string, namespace: string): Promise<readonly string[]> =>
  ((await read('pod', name, namespace)).spec.initContainers ?? []).map((container) => container.name);

describe('the injector on a real API server', () => {
  it.each([
    ['asked for by the pod', 'shop', asks, ['tollgate-proxy']],
    ['asked for by a label of the pod', 'shop', { labels: { 'tollgate.dev/inject': 'true' } }, ['tollgate-proxy']],
    ['asked for by nobody', 'shop', {}, []],
    ['asked for by the namespace', 'on', {}, ['tollgate-proxy']],
    ['declined in such a namespace', 'on', declines, []],
    ['declined where it is required', 'must', declines, ['tollgate-proxy']],
    ['asked for where it is disabled', 'off', asks, []],
    ['asked for under Pod Security restricted', 'strict', asks, ['tollgate-proxy']],
  ])('puts the proxy in where it is %s', async (title, namespace, metadata, expected) => {
    const name = title.replace(/[^a-z]+/gi, '-').toLowerCase();
    await make(podOf(name, namespace, metadata));
    expect(await initOf(name, namespace)).toEqual(expected);
  });

  it("keeps the pod's own token from the proxy, though the API server would mount it everywhere", async () => {
    const { spec } = await read('pod', 'asked-for-by-the-pod', 'shop');
    expect(spec.initContainers?.[0]).toMatchObject({ restartPolicy: 'Always' });
    expect(spec.initContainers?.[0]?.volumeMounts.map(({ name }) => name)).toEqual([
      'tollgate',
      'tollgate-spool',
      'tollgate-no-api-token',
    ]);
    expect(spec.containers[0]?.env).toContainEqual({
      name: 'OPENAI_BASE_URL',
      value: 'http://127.0.0.1:4100/openai/v1',
    });
  });

  it('takes a stored pod for injected when it is made again from what was stored', async () => {
    const { metadata, spec } = await read('pod', 'asked-for-by-the-pod', 'shop');
    await kubectl('delete', 'pod', 'asked-for-by-the-pod', '-n', 'shop', '--force', '--grace-period=0');
    await make({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'asked-for-by-the-pod',
        namespace: 'shop',
        labels: metadata.labels,
        annotations: metadata.annotations,
      },
      spec,
    });
    expect((await read('pod', 'asked-for-by-the-pod', 'shop')).spec.initContainers).toEqual(spec.initContainers);
    const page = await (await fetch(`${cluster.injector.adminUrl}/metrics`)).text();
    expect(page).toMatch(/tollgate_injections_total\{outcome="already",reason=""\} [1-9]/);
  });

  it('refuses who poses as injected, with what to do', async () => {
    await expect(make(podOf('forged', 'shop', { labels: { 'tollgate.dev/injected': 'true' } }))).rejects.toThrow(
      /ForgedProxy.*remove label tollgate.dev\/injected/s,
    );
    await expect(make(podOf('host', 'must', {}, { hostNetwork: true }))).rejects.toThrow(/InjectionRequired/);
  });

  it('mounts the Secrets that routes of the namespace name, into the proxy alone', async () => {
    await make({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'ModelRoute',
      metadata: { name: 'chat', namespace: 'shop' },
      spec: {
        rules: [
          {
            name: 'all',
            backends: [
              { name: 'o', provider: { type: 'OpenAI', credentialsSecretRef: { name: 'openai', key: 'api-key' } } },
            ],
          },
        ],
      },
    });
    let tries = 0;
    await until('the route is known', async () => {
      tries += 1;
      await make(podOf(`keyed-${tries}`, 'shop', asks));
      return (await kubectl('get', 'pod', `keyed-${tries}`, '-n', 'shop', '-o', 'json')).includes(
        'keys/openai/api-key',
      );
    });
  });

  it.each(['deployment', 'statefulset', 'daemonset'])(
    'carries the annotation of a %s to its pods, and off again',
    async (kind) => {
      const name = `web-${kind}`;
      const labels = { app: name };
      await make({
        apiVersion: 'apps/v1',
        kind: { deployment: 'Deployment', statefulset: 'StatefulSet', daemonset: 'DaemonSet' }[kind],
        metadata: { name, namespace: 'shop' },
        spec: {
          ...(kind === 'daemonset' ? {} : { replicas: 2 }),
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app' }] } },
        },
      });
      const template = (): Promise<string> =>
        kubectl('get', kind, name, '-n', 'shop', '-o', 'jsonpath={.spec.template.metadata.annotations}');
      await kubectl('annotate', kind, name, '-n', 'shop', 'tollgate.dev/inject=true');
      expect(await template()).toContain('"tollgate.dev/inject":"true"');
      if (kind === 'deployment') {
        await until(
          'its pods carry the proxy',
          async () =>
            (
              await kubectl('get', 'pods', '-n', 'shop', '-l', `app=${name},tollgate.dev/injected=true`, '-o', 'name')
            ).trim() !== '',
        );
      }
      await expect(
        kubectl('annotate', kind, name, '-n', 'shop', 'tollgate.dev/inject=TRUE', '--overwrite'),
      ).rejects.toThrow('tollgate.dev/inject must be "true" or "false", not "TRUE"');
      expect(await template()).toContain('"tollgate.dev/inject":"true"');
      await kubectl('annotate', kind, name, '-n', 'shop', 'tollgate.dev/inject-');
      expect(await template()).not.toContain('tollgate.dev/inject');
    },
  );

  it('carries it for a CronJob, and for a Job that is made with it', async () => {
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'app' }] } };
    await make({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once', namespace: 'shop', ...asks },
      spec: { template },
    });
    await make({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly', namespace: 'shop', ...asks },
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template } } },
    });
    expect(
      await kubectl('get', 'job', 'once', '-n', 'shop', '-o', 'jsonpath={.spec.template.metadata.annotations}'),
    ).toContain('inject');
    expect(
      await kubectl(
        'get',
        'cronjob',
        'nightly',
        '-n',
        'shop',
        '-o',
        'jsonpath={.spec.jobTemplate.spec.template.metadata.annotations}',
      ),
    ).toContain('inject');
  });

  it('tells on its owner why a pod got no proxy', async () => {
    const labels = { app: 'noproxy' };
    await make({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'noproxy', namespace: 'shop', ...asks },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { hostNetwork: true, containers: [{ name: 'app', image: 'app' }] } },
      },
    });
    await until('there is an Event', async () =>
      (await kubectl('get', 'events', '-n', 'shop')).includes('InjectionSkippedHostNetwork'),
    );
  });

  it('stops nobody but who asked when it is gone', async () => {
    await cluster.injector.stop();
    await make(podOf('bystander', 'shop'));
    await make(podOf('declined', 'on', declines));
    await make(podOf('forbidden', 'off', asks));
    await expect(make(podOf('asker', 'shop', asks))).rejects.toThrow(/pod\.inject\.tollgate\.dev/);
    await expect(make(podOf('asker', 'on'))).rejects.toThrow(/ns\.inject\.tollgate\.dev/);
    await kubectl('scale', 'deployment', 'noproxy', '-n', 'shop', '--replicas=0');
    await kubectl('label', 'deployment', 'noproxy', '-n', 'shop', 'touched=yes');
  });
});
