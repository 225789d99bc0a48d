/** The chart against a real API server, which checks what a rendering cannot: fields, CEL, RBAC, and whose a definition is. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startControlPlane, type ControlPlane } from '@tollgate/testkit/kubernetes';
import { CHART, EVERYTHING, find, NAMESPACE, parseManifests, render, runHelm, type Manifest } from './testing/helm.ts';
import { podsOf } from './testing/pod-specs.ts';

const LIMIT_MS = 300_000;
const CRDS = join(CHART, '../../crds');
const run = promisify(execFile);

/** JSON: YAML has words, such as `no`, that the one writer leaves bare and the other reader takes for something else. */
const asText = (items: readonly object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

interface Images {
  readonly proxyImage: string;
  readonly imageMirrors: readonly string[];
}

/** Kinds that a bare cluster does not serve. */
const BORROWED = ['monitoring.coreos.com/v1', 'cert-manager.io/v1'];

/** What is asked again until it is so; the API server takes up policies and definitions a moment after they are written. */
const eventually = async <T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> => {
  const last = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (isSo(answer) || Date.now() > last) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

const outcome = (promise: Promise<string>): Promise<string> =>
  promise.then(
    (out) => out,
    (error: unknown) => String(error),
  );

describe('what is rendered', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane({
      crds: true,
      controllerManager: true,
      featureGates: ['MutatingAdmissionPolicy=true'],
      runtimeConfig: ['admissionregistration.k8s.io/v1beta1=true'],
    });
    await plane.kubectl(['create', 'namespace', NAMESPACE]);
    await plane.kubectl(['create', 'namespace', 'tollgate-demo']);
  }, LIMIT_MS);
  afterAll(() => plane.stop(), LIMIT_MS);

  it.each<readonly [string, object]>([
    ['without a value', {}],
    ['with everything on', EVERYTHING],
    ['with injection by policy', { injection: { mode: 'policy' } }],
  ])('%s is accepted, each field of it', async (_what, values) => {
    const manifests = (await render({ values })).filter(({ apiVersion }) => !BORROWED.includes(apiVersion));
    // A pod is refused, be it tried or made, while its account is not there.
    const accounts = manifests.filter(({ kind }) => kind === 'ServiceAccount');
    await plane.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], asText(accounts));
    const args = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict', '-f', '-'];
    const applied = await plane.kubectl(args, asText(manifests));
    expect(applied.trim().split('\n')).toHaveLength(manifests.length);
  });

  it('says what to do where the database of a release is to get a volume that it cannot get, or lose it', async () => {
    const persistent = (enabled: boolean) => ({ database: { builtIn: { persistence: { enabled } } } });
    const upgradeTo = (enabled: boolean) =>
      outcome(render({ values: persistent(enabled), kubeconfig: plane.kubeconfigPath }).then(() => 'rendered'));
    for (const has of [false, true]) {
      const statefulSet = find(await render({ values: persistent(has) }), 'StatefulSet', 'tollgate-postgres');
      await plane.kubectl(['apply', '--server-side', '-f', '-'], asText([statefulSet]));
      expect(await upgradeTo(has)).toBe('rendered');
      const said = await upgradeTo(!has);
      expect(said).toContain(`runs ${has ? 'with' : 'without'} a volume`);
      expect(said).toContain('kubectl -n tollgate-system delete statefulset tollgate-postgres');
      await plane.kubectl(['delete', 'statefulset', 'tollgate-postgres', '-n', NAMESPACE]);
    }
  });

  it('goes on to know the proxies that run, when the images come from another registry', async () => {
    const upgradeTo = async (prefix: string): Promise<Images> => {
      const found = await render({ values: { images: { prefix } }, kubeconfig: plane.kubeconfigPath });
      const settings = find(found, 'ConfigMap', 'tollgate-injection');
      await plane.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], asText([settings]));
      return parse((settings['data'] as { readonly 'injection.yaml': string })['injection.yaml']);
    };
    expect((await upgradeTo('one.test/tollgate')).imageMirrors).toEqual([]);
    expect((await upgradeTo('two.test:5000/tollgate')).imageMirrors).toEqual(['one.test/tollgate/tollgate-proxy']);
    expect((await upgradeTo('two.test:5000/tollgate')).imageMirrors).toEqual(['one.test/tollgate/tollgate-proxy']);
    const { proxyImage, imageMirrors } = await upgradeTo('one.test/tollgate');
    expect(proxyImage).toMatch(/^one\.test/);
    expect(imageMirrors).toEqual(['two.test:5000/tollgate/tollgate-proxy']);
  });

  it('runs in a namespace that enforces Pod Security "restricted"', async () => {
    const namespace = 'strict';
    await plane.kubectl(['create', 'namespace', namespace]);
    await plane.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    const pods = podsOf(await render({ values: EVERYTHING }));
    expect(pods.length).toBeGreaterThan(8);
    for (const [index, { of, metadata, spec }] of pods.entries()) {
      const { serviceAccountName: _account, priorityClassName: _class, ...rest } = spec;
      // What a StatefulSet would put in.
      const volumes = [
        ...(rest.volumes ?? []),
        ...(of.startsWith('StatefulSet') ? [{ name: 'data', emptyDir: {} }] : []),
      ];
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: `pod-${String(index)}`, namespace },
        spec: { ...rest, volumes },
      };
      const said = await outcome(plane.kubectl(['create', '--dry-run=server', '-f', '-'], asText([pod])));
      expect([of, said]).toEqual([of, expect.stringContaining('created (server dry run)')]);
    }
  });

  describe('policies', () => {
    let user: (args: readonly string[], input?: string) => Promise<string>;

    beforeAll(async () => {
      const manifests = await render();
      const policies = manifests.filter(
        ({ kind }) => kind.startsWith('ValidatingAdmissionPolicy') || kind === 'ClusterRole',
      );
      await plane.kubectl(['apply', '--server-side', '-f', '-'], asText(policies));
      await plane.kubectl(['create', 'namespace', 'team-a']);
      await plane.kubectl(['create', 'rolebinding', 'edit', '--clusterrole=edit', '--user=ann', '-n', 'team-a']);
      const kubeconfig = await plane.kubeconfigOf({ commonName: 'ann', groups: [] });
      user = (args, input) => plane.kubectl(['--kubeconfig', kubeconfig, '-n', 'team-a', ...args], input);
      // The aggregated roles have reached her once she may do what they give.
      await eventually(
        () => outcome(user(['auth', 'can-i', 'create', 'modelroutes.tollgate.dev'])),
        (answer) => answer.startsWith('yes'),
      );
    }, LIMIT_MS);

    const route = (provider: object): string =>
      asText([
        {
          apiVersion: 'tollgate.dev/v1alpha1',
          kind: 'ModelRoute',
          metadata: { name: 'chat', namespace: 'team-a' },
          spec: { rules: [{ name: 'all', backends: [{ name: 'one', provider }] }] },
        },
      ]);
    const credentialsSecretRef = { name: 'openai', key: 'api-key' };
    const create = (input: string): Promise<string> => outcome(user(['create', '--dry-run=server', '-f', '-'], input));

    it('refuse a route that sends a key in clear, or to a host that is not allowed', async () => {
      const inClear = { type: 'OpenAICompatible', baseUrl: 'http://models.team-a.svc', credentialsSecretRef };
      const said = await eventually(
        () => create(route(inClear)),
        (answer) => answer.includes('in clear'),
      );
      expect(said).toContain('rule all: a baseUrl would carry the key of its credentialsSecretRef in clear');
      const abroad = { type: 'OpenAI', baseUrl: 'https://collect.example/v1', credentialsSecretRef };
      expect(await create(route(abroad))).toContain(
        'rule all: a baseUrl is at a host that keys of Secrets are not sent to',
      );
      const posing = { type: 'OpenAI', baseUrl: 'https://api.openai.com.collect.example/v1', credentialsSecretRef };
      expect(await create(route(posing))).toContain('a host that keys of Secrets are not sent to');
    });

    it.each<readonly [string, object]>([
      ['to the provider itself', { type: 'OpenAI', credentialsSecretRef }],
      ['to an allowed host', { type: 'OpenAI', baseUrl: 'https://api.openai.com/v1', credentialsSecretRef }],
      ['to a resource of Azure', { type: 'AzureOpenAI', baseUrl: 'https://us.openai.azure.com', credentialsSecretRef }],
      ['without a key anywhere', { type: 'OpenAICompatible', baseUrl: 'http://models.team-a.svc/v1' }],
    ])('let a route lead %s', async (_where, provider) => {
      expect(await create(route(provider))).toContain('created (server dry run)');
    });

    it('leave a budget to those who are budget administrators, and an inference service to those who may run Deployments', async () => {
      const budget = {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'mine', namespace: 'team-a' },
      };
      const spec = { limits: [{ name: 'day', cost: { max: '1000.00' }, period: 'Day' }] };
      expect(await create(asText([{ ...budget, spec }]))).toContain('cannot create resource "tokenbudgets"');
      expect(await outcome(user(['auth', 'can-i', 'list', 'tokenbudgets.tollgate.dev']))).toContain('yes');

      const service = asText([
        {
          apiVersion: 'tollgate.dev/v1alpha1',
          kind: 'LLMInferenceService',
          metadata: { name: 'llama', namespace: 'team-a' },
          spec: {
            model: { uri: 'hf://meta-llama/llama-3', name: 'llama-3' },
            template: { containers: [{ name: 'main', image: 'vllm' }] },
          },
        },
      ]);
      expect(await create(service)).toContain('created (server dry run)');
      await plane.kubectl([
        'create',
        'role',
        'models',
        '--verb=create,get',
        '--resource=llminferenceservices.tollgate.dev',
        '-n',
        'team-a',
      ]);
      await plane.kubectl(['create', 'rolebinding', 'models', '--role=models', '--user=bob', '-n', 'team-a']);
      const bob = await plane.kubeconfigOf({ commonName: 'bob', groups: [] });
      const said = await outcome(
        plane.kubectl(['--kubeconfig', bob, '-n', 'team-a', 'create', '--dry-run=server', '-f', '-'], service),
      );
      expect(said).toContain('bob may not create Deployments in namespace team-a');
    });

    it('let no pod without the proxy into a namespace that requires it', async () => {
      await plane.kubectl(['create', 'namespace', 'team-b']);
      await plane.kubectl(['label', 'namespace', 'team-b', 'tollgate.dev/injection=required']);
      const pod = (initContainers?: readonly object[]): string =>
        asText([
          {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: 'app', namespace: 'team-b' },
            spec: {
              containers: [{ name: 'app', image: 'app' }],
              ...(initContainers === undefined ? {} : { initContainers }),
            },
          },
        ]);
      const asAdmin = (input: string): Promise<string> =>
        outcome(plane.kubectl(['create', '--dry-run=server', '-f', '-'], input));
      expect(await asAdmin(pod())).toContain(
        'namespace team-b has the label tollgate.dev/injection: required, and this pod was not injected',
      );
      expect(await asAdmin(pod([{ name: 'tollgate-proxy', image: 'x' }]))).toContain('was not injected');
      expect(await asAdmin(pod([{ name: 'tollgate-proxy', image: 'x', restartPolicy: 'Always' }]))).toContain(
        'created',
      );
    });

    describe('on a word of tollgate.dev/inject that is neither "true" nor "false"', () => {
      const word = (value: string) => ({ 'tollgate.dev/inject': value });
      const pods = (metadata: object) => ({ metadata, spec: { containers: [{ name: 'app', image: 'app' }] } });
      const labels = { app: 'web' };
      const deployment = (name: string, own: object, template: object = {}) => ({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace: 'team-a', ...own },
        spec: { selector: { matchLabels: labels }, template: pods({ ...template, labels }) },
      });
      const cronJob = (annotations: object) => ({
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'night', namespace: 'team-a' },
        spec: {
          schedule: '@daily',
          jobTemplate: {
            spec: {
              template: {
                metadata: { annotations },
                spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'app' }] },
              },
            },
          },
        },
      });
      const pod = (name: string, metadata: object) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        ...pods({ name, namespace: 'team-a', ...metadata }),
      });
      const ownerReferences = [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d8', uid: 'u', controller: true },
      ];
      const said = (value: string): string => `tollgate.dev/inject must be "true" or "false", not "${value}"`;
      /** Standard error, where kubectl prints warnings. */
      const warningsOf = async (args: readonly string[], input = ''): Promise<string> => {
        const program = (await import('@tollgate/testkit/kubernetes')).programPath('kubectl');
        const command = `printf '%s' "$1" | "$0" --kubeconfig "$2" ${args.join(' ')}`;
        return (await run('sh', ['-c', command, program, input, plane.kubeconfigPath])).stderr;
      };

      it.each<readonly [string, object, string]>([
        ['on a workload', deployment('a', { annotations: word('TRUE') }), 'TRUE'],
        ['on its template', deployment('a', {}, { annotations: word('yes') }), 'yes'],
        ['that says nothing', deployment('a', { annotations: word('') }), ''],
        ['on the template of a CronJob', cronJob(word('1')), '1'],
        ['on a pod', pod('a', { annotations: word('True') }), 'True'],
        ['on a pod, as a label', pod('a', { labels: word('on') }), 'on'],
      ])('refuse who writes it %s', async (_where, object, value) => {
        const answer = await eventually(
          () => create(asText([object])),
          (text) => text.includes('must be'),
        );
        expect(answer).toContain(said(value));
      });

      it.each<readonly [string, object]>([
        ['yes', deployment('a', { annotations: word('true') }, { annotations: word('true') })],
        ['no', pod('a', { labels: word('false') })],
        ['nothing', deployment('a', {})],
      ])('let through who says %s', async (_what, object) => {
        expect(await create(asText([object]))).toContain('created (server dry run)');
      });

      it('hold up no controller, and no update of something else', async () => {
        const owned = pod('owned', { annotations: word('yes'), ownerReferences });
        expect(await warningsOf(['create', '--dry-run=server', '-f', '-'], asText([owned]))).toContain(
          `${said('yes')}; it has no effect as it is`,
        );
        const policy = 'new.inject-value.tollgate.dev';
        const binding = await plane.kubectl(['get', 'validatingadmissionpolicybinding', policy, '-o', 'json']);
        await plane.kubectl(['delete', 'validatingadmissionpolicybinding', policy]);
        // As it stood there before there was a policy.
        await eventually(
          () =>
            outcome(plane.kubectl(['create', '-f', '-'], asText([deployment('old', { annotations: word('yes') })]))),
          (text) => text.includes('created'),
        );
        const { metadata, ...rest } = JSON.parse(binding) as { metadata: { name: string } };
        await plane.kubectl(['create', '-f', '-'], JSON.stringify({ ...rest, metadata: { name: metadata.name } }));
        await eventually(
          () => create(asText([deployment('a', { annotations: word('yes') })])),
          (text) => text.includes('must be'),
        );
        const change = (...args: readonly string[]): Promise<string> =>
          warningsOf(['-n', 'team-a', ...args, '--dry-run=server']);
        expect(await change('scale', 'deployment/old', '--replicas=3')).toBe('');
        expect(await change('label', 'deployment/old', 'a=b')).toContain(said('yes'));
        await expect(change('annotate', 'deployment/old', 'tollgate.dev/inject=Yes', '--overwrite')).rejects.toThrow(
          said('Yes'),
        );
        expect(await change('annotate', 'deployment/old', 'tollgate.dev/inject=true', '--overwrite')).toBe('');
      });
    });

    it('let nobody put another program in the place of the proxy of a pod that runs', async () => {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'carrier', namespace: 'team-a' },
        spec: {
          initContainers: [{ name: 'tollgate-proxy', image: 'proxy:1', restartPolicy: 'Always' }],
          containers: [{ name: 'app', image: 'app:1' }],
        },
      };
      await eventually(
        () => outcome(plane.kubectl(['create', '-f', '-'], asText([pod]))),
        (text) => text.includes('created'),
      );
      const setImage = (what: string): Promise<string> =>
        outcome(plane.kubectl(['-n', 'team-a', 'set', 'image', 'pod/carrier', what, '--dry-run=server']));
      const answer = await eventually(
        () => setImage('tollgate-proxy=evil:1'),
        (text) => text.includes('keeps the image'),
      );
      expect(answer).toContain('container tollgate-proxy keeps the image that was injected');
      expect(await setImage('app=app:2')).toContain('image updated');
    });

    it('warn of what has no effect', async () => {
      const word = { 'tollgate.dev/inject': 'true' };
      const deployment = (metadata: object, template: { readonly labels?: object; readonly annotations?: object }) => {
        const labels = { app: 'web', ...template.labels };
        const containers = [{ name: 'app', image: 'app' }];
        return {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web', ...metadata },
          spec: {
            selector: { matchLabels: labels },
            template: { metadata: { ...template, labels }, spec: { containers } },
          },
        };
      };
      await plane.kubectl(['create', 'namespace', 'team-off']);
      await plane.kubectl(['label', 'namespace', 'team-off', 'tollgate.dev/injection=disabled']);
      const { stderr } = await run('sh', [
        '-c',
        `printf '%s' "$2" | "$0" --kubeconfig "$1" create --dry-run=server -f -`,
        (await import('@tollgate/testkit/kubernetes')).programPath('kubectl'),
        plane.kubeconfigPath,
        asText([
          {
            apiVersion: 'tollgate.dev/v1alpha1',
            kind: 'TokenBudget',
            metadata: { name: 'all', namespace: 'team-a' },
            spec: { namespaceSelector: {}, limits: [{ name: 'day', cost: { max: '1.00' }, period: 'Day' }] },
          },
          {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name: 'team-c', labels: { 'tollgate.dev/injection': 'yes' } },
          },
          {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name: 'team-d', annotations: { 'tollgate.dev/inject': 'true' } },
          },
          deployment({ namespace: 'team-a', labels: word }, {}),
          deployment({ namespace: 'team-off', annotations: word }, { annotations: word }),
          deployment({ namespace: 'team-a', labels: word, name: 'well' }, { labels: word }),
        ]),
      ]);
      expect(stderr).toContain(
        'spec.namespaceSelector counts only in namespace tollgate-system; here this budget binds nobody',
      );
      expect(stderr).toContain('label tollgate.dev/injection must be enabled, required or disabled');
      expect(stderr).toContain('an annotation of a namespace opts nobody in');
      expect(stderr.match(/label tollgate\.dev\/inject of a Deployment asks for nothing/g)).toHaveLength(1);
      expect(stderr).toContain('or as an annotation of the Deployment');
      expect(stderr.match(/namespace team-off has the label tollgate\.dev\/injection: disabled/g)).toHaveLength(1);
    });
  });

  describe('injection by policy', () => {
    const create = async (namespace: string, metadata: object, spec: object): Promise<Manifest> => {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app', namespace, ...metadata }, spec };
      const [made] = parseManifests(
        await plane.kubectl(['create', '--dry-run=server', '-o', 'yaml', '-f', '-'], asText([pod])),
      );
      if (made === undefined) throw new Error('no pod came back');
      return made;
    };
    const isInjected = (pod: Manifest): boolean =>
      (pod['spec'].initContainers ?? []).some(({ name }: { name: string }) => name === 'tollgate-proxy');
    const app = { containers: [{ name: 'app', image: 'app' }] };
    const asking = { annotations: { 'tollgate.dev/inject': 'true' } };

    beforeAll(async () => {
      const values = { injection: { mode: 'policy', settings: { teamLabel: 'team' } } };
      const policies = (await render({ values })).filter(({ kind }) => kind.startsWith('Mutating'));
      await plane.kubectl(['apply', '--server-side', '-f', '-'], asText(policies));
      await plane.kubectl(['create', 'namespace', 'apps']);
      await plane.kubectl(['create', 'namespace', 'apps-on']);
      await plane.kubectl(['label', 'namespace', 'apps-on', 'tollgate.dev/injection=enabled']);
      await plane.kubectl(['label', 'namespace', 'apps', 'pod-security.kubernetes.io/enforce=baseline']);
      await eventually(
        () => plane.kubectl(['get', 'serviceaccount', '-A']),
        (text) => text.includes('apps-on') && /apps +default/.test(text),
      );
      await eventually(() => create('apps', asking, app), isInjected);
    }, LIMIT_MS);

    it('gives a pod that asks for it the proxy, and its containers the way there', async () => {
      const pod = await create(
        'apps',
        {
          labels: { team: 'search', 'pod-template-hash': '5d8' },
          ...asking,
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d8', uid: 'u', controller: true }],
        },
        app,
      );
      const [proxy, ...others] = pod['spec'].initContainers;
      expect(others).toEqual([]);
      // The labels in it stand in whatever order: CEL walks through a map in none.
      const { value: subject } = proxy.env.pop();
      expect(proxy).toMatchSnapshot();
      expect(JSON.parse(subject)).toEqual({
        namespace: 'apps',
        workload: 'web',
        workloadKind: 'Deployment',
        serviceAccount: 'default',
        labels: { team: 'search', 'pod-template-hash': '5d8' },
        team: 'search',
      });
      expect(pod['spec'].containers[0].env).toEqual([
        { name: 'OPENAI_BASE_URL', value: 'http://127.0.0.1:4100/openai/v1' },
        { name: 'OPENAI_API_BASE', value: 'http://127.0.0.1:4100/openai/v1' },
        { name: 'ANTHROPIC_BASE_URL', value: 'http://127.0.0.1:4100/anthropic' },
        { name: 'GOOGLE_GEMINI_BASE_URL', value: 'http://127.0.0.1:4100/gemini' },
      ]);
      expect(pod.metadata.labels?.['tollgate.dev/injected']).toBe('true');
      expect(JSON.parse(pod.metadata.annotations?.['tollgate.dev/status'] ?? '')).toMatchObject({
        providers: ['openai', 'anthropic', 'gemini', 'azure'],
      });
    });

    it('overrules no variable that a container sets itself', async () => {
      const env = [
        { name: 'OPENAI_BASE_URL', value: 'https://mine.example/v1' },
        { name: 'OTHER', value: 'x' },
      ];
      const pod = await create('apps', asking, { containers: [{ name: 'app', image: 'app', env }] });
      expect(pod['spec'].containers[0].env).toEqual(expect.arrayContaining(env));
      expect(
        pod['spec'].containers[0].env.filter(({ name }: { name: string }) => name === 'OPENAI_BASE_URL'),
      ).toHaveLength(1);
    });

    it('puts the proxy before other init containers, and after those of a mesh', async () => {
      const initContainers = [
        { name: 'istio-init', image: 'mesh' },
        { name: 'migrate', image: 'app' },
      ];
      const pod = await create('apps', asking, { ...app, initContainers });
      expect(pod['spec'].initContainers.map(({ name }: { name: string }) => name)).toEqual([
        'istio-init',
        'tollgate-proxy',
        'migrate',
      ]);
    });

    it('follows the namespace, which a pod may overrule', async () => {
      expect(isInjected(await create('apps-on', {}, app))).toBe(true);
      expect(isInjected(await create('apps-on', { labels: { 'tollgate.dev/inject': 'false' } }, app))).toBe(false);
      expect(isInjected(await create('apps', {}, app))).toBe(false);
      expect(isInjected(await create(NAMESPACE, asking, app).catch(() => ({ spec: {} }) as never))).toBe(false);
    });

    it('leaves a pod on the network of its node alone', async () => {
      await plane.kubectl(['label', 'namespace', 'apps', 'pod-security.kubernetes.io/enforce-']);
      expect(isInjected(await create('apps', asking, { ...app, hostNetwork: true }))).toBe(false);
    });
  });
});

describe('an installation', () => {
  let plane: ControlPlane;
  let home: string;
  const helm = (...args: readonly string[]): Promise<string> => runHelm(args, { kubeconfig: plane.kubeconfigPath });
  const script = (name: string, token: string, env: Readonly<Record<string, string>>): Promise<string> => {
    const tokenFile = join(home, 'token');
    writeFileSync(tokenFile, token);
    const given = { NODE_EXTRA_CA_CERTS: plane.caFile, KUBERNETES_URL: plane.url, TOKEN_FILE: tokenFile, ...env };
    return run(process.execPath, [join(CHART, 'files/scripts', name)], { env: given }).then(({ stdout }) => stdout);
  };
  /** The objects of the hooks that come first, but for the Jobs: nothing runs pods here. */
  const applyHooks = async (manifests: readonly Manifest[]): Promise<void> => {
    const objects = manifests.filter(
      ({ kind, metadata }) => kind !== 'Job' && (metadata.annotations?.['helm.sh/hook'] ?? '').includes('pre-install'),
    );
    await plane.kubectl(['apply', '--server-side', '-n', NAMESPACE, '-f', '-'], asText(objects));
  };

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'tollgate-chart-'));
    plane = await startControlPlane({ controllerManager: true });
    await plane.kubectl(['create', 'namespace', NAMESPACE]);
    // As the first page of the documentation says.
    await plane.kubectl(['apply', '-f', CRDS]);
    const older = JSON.stringify({ metadata: { labels: { 'applied-by': 'hand' } } });
    await plane.kubectl(['patch', 'crd', 'tokenbudgets.tollgate.dev', '--type=merge', '-p', older]);
  }, LIMIT_MS);
  afterAll(async () => {
    await plane.stop();
    rmSync(home, { recursive: true, force: true });
  }, LIMIT_MS);

  describe('says afterwards', () => {
    const notes = (...args: readonly string[]): Promise<string> =>
      helm('install', 'tollgate', CHART, '-n', NAMESPACE, '--dry-run=server', ...args).then(
        (text) => text.split('\nNOTES:\n')[1] ?? text,
      );

    it('that the ledger goes with its pod, and what the next command is', async () => {
      const text = await notes();
      expect(text).toContain('WARNING: what is spent is kept in a single PostgreSQL of this release, in its pod');
      expect(text).toContain('kubectl -n NAMESPACE annotate deployment NAME tollgate.dev/inject=true');
      expect(text).toContain('helm test tollgate -n tollgate-system');
      expect(text).not.toContain('demo');
      // Pasted as it stands: a shell finds the end of the budget only at the beginning of a line.
      expect(text).toMatch(/<<'YAML'\napiVersion: [^]+\n {2}limits: .+\nYAML\nkubectl -n NAMESPACE annotate/);
      expect(text).toMatch(/\nkubectl -n NAMESPACE get tokenbudgets -w\n\nBudgets are/);
    });

    it('nothing to worry about where stores of your own are named', async () => {
      expect(await notes('--set', 'database.existingSecret=a', '--set', 'redis.existingSecret=b')).not.toContain(
        'WARNING',
      );
    });

    it('how callers without a proxy reach the gateway, and what it means that nobody asks who they are', async () => {
      const stores = ['--set', 'database.existingSecret=a', '--set', 'redis.existingSecret=b'];
      const asking = await notes(...stores, '--set', 'gateway.enabled=true');
      expect(asking).toMatch(/ get tokenbudgets -w\n\nThe gateway/);
      expect(asking).toContain('http://tollgate-gateway.tollgate-system.svc:4100/openai/v1');
      expect(asking).toContain('create token NAME --audience tollgate');
      expect(asking).not.toContain('WARNING');
      const open = await notes(...stores, '--set', 'gateway.enabled=true', '--set', 'gateway.requireTokens=false');
      expect(open).toContain('WARNING: the gateway does not ask who calls (gateway.requireTokens=false)');
      expect(open).not.toContain('create token');
      expect(await notes(...stores)).not.toContain('gateway');
    });

    it('where the demo spends', async () => {
      expect(await notes('--set', 'demo.enabled=true')).toContain('kubectl -n tollgate-demo get tokenbudgets -w');
    });
  });

  const ownerOf = async (): Promise<string> =>
    plane.kubectl([
      'get',
      'crd',
      'tokenbudgets.tollgate.dev',
      '-o',
      'jsonpath={.metadata.labels.app\\.kubernetes\\.io/managed-by} {.metadata.annotations.meta\\.helm\\.sh/release-name} {.metadata.annotations.helm\\.sh/resource-policy}',
    ]);

  it('over definitions that were applied by hand goes through, and takes them into its hands', async () => {
    await helm('install', 'tollgate', CHART, '-n', NAMESPACE, '--no-hooks');
    expect(await helm('get', 'manifest', 'tollgate', '-n', NAMESPACE)).not.toContain('kind: CustomResourceDefinition');
    expect(await ownerOf()).toBe('  ');

    const hooks = parseManifests(await helm('get', 'hooks', 'tollgate', '-n', NAMESPACE));
    const job = find(hooks, 'Job', 'tollgate-crds-adoption');
    await applyHooks(hooks);
    const crds = join(home, 'crds');
    await run('mkdir', ['-p', crds]);
    for (const [file, text] of Object.entries<string>(find(hooks, 'ConfigMap', 'tollgate-crds-adoption')['data'])) {
      if (file.endsWith('.json')) writeFileSync(join(crds, file), text);
    }
    const serviceAccount = String(job['spec'].template.spec.serviceAccountName);
    const token = await plane.tokenOf({ namespace: NAMESPACE, serviceAccount });
    expect(await script('adopt-crds.mjs', token, { CRDS: crds })).toContain(
      'tokenbudgets.tollgate.dev belongs to release tollgate now',
    );
    expect(await ownerOf()).toBe('Helm tollgate keep');
  });

  it('has them in the release from the next upgrade on', async () => {
    await helm('upgrade', 'tollgate', CHART, '-n', NAMESPACE, '--no-hooks');
    expect(
      (await helm('get', 'manifest', 'tollgate', '-n', NAMESPACE)).match(/kind: CustomResourceDefinition/g),
    ).toHaveLength(3);
    expect(await helm('get', 'hooks', 'tollgate', '-n', NAMESPACE)).not.toContain('crds-adoption');
  });

  it('makes the passwords once, as an account that may do nothing else', async () => {
    const hooks = parseManifests(await helm('get', 'hooks', 'tollgate', '-n', NAMESPACE));
    await applyHooks(hooks);
    const token = await plane.tokenOf({ namespace: NAMESPACE, serviceAccount: 'tollgate-stores-passwords' });
    const { env } = find(hooks, 'Job', 'tollgate-stores-passwords')['spec'].template.spec.containers[0];
    const told = Object.fromEntries(env.map(({ name, value }: { name: string; value: string }) => [name, value]));
    const given = { ...told, NODE_EXTRA_CA_CERTS: plane.caFile };
    const secret = async (): Promise<Readonly<Record<string, string>>> => {
      const data = JSON.parse(
        await plane.kubectl(['get', 'secret', 'tollgate-stores', '-n', NAMESPACE, '-o', 'jsonpath={.data}']),
      );
      return Object.fromEntries(
        Object.entries<string>(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
      );
    };
    expect(await script('make-passwords.mjs', token, given)).toBe('made Secret tollgate-stores\n');
    const made = await secret();
    expect(made).toEqual({
      'postgres-password': expect.stringMatching(/^[0-9a-f]{48}$/),
      'database-url': `postgres://tollgate:${made['postgres-password'] ?? ''}@tollgate-postgres.tollgate-system.svc:5432/tollgate`,
      'redis.conf': expect.stringMatching(/^requirepass [0-9a-f]{48}\n$/),
      'redis-url': expect.stringMatching(/^redis:\/\/:[0-9a-f]{48}@tollgate-redis\.tollgate-system\.svc:6379$/),
    });
    expect(made['redis-url']).toContain(made['redis.conf']?.split(/\s/)[1] ?? 'none');
    expect(await script('make-passwords.mjs', token, given)).toBe(
      'Secret tollgate-stores is there already: left as it is\n',
    );
    expect(await secret()).toEqual(made);
    const other = script('make-passwords.mjs', token, { ...given, NAMESPACE: 'default' });
    await expect(other).rejects.toThrow('cannot create resource "secrets"');
  });

  it('keeps budgets through an uninstall, and leaves no webhook, no policy and no finalizer', async () => {
    const budget = {
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'kept', namespace: 'default' },
      spec: { limits: [{ name: 'day', cost: { max: '1.00' }, period: 'Day' }] },
    };
    await plane.kubectl(['apply', '-f', '-'], asText([budget]));
    await helm('uninstall', 'tollgate', '-n', NAMESPACE, '--no-hooks');
    expect(await plane.kubectl(['get', 'tokenbudgets', '-o', 'name'])).toBe('tokenbudget.tollgate.dev/kept\n');
    for (const kind of [
      'mutatingwebhookconfigurations',
      'validatingadmissionpolicies',
      'validatingadmissionpolicybindings',
      'clusterroles',
    ]) {
      expect(await plane.kubectl(['get', kind, '-l', 'app.kubernetes.io/instance=tollgate', '-o', 'name'])).toBe(
        kind === 'clusterroles' ? ADOPTER : '',
      );
    }
    await plane.kubectl(['delete', 'namespace', NAMESPACE, '--timeout=60s']);
  });

  /** Applied above by hand, where helm would have taken it away again. */
  const ADOPTER = 'clusterrole.rbac.authorization.k8s.io/tollgate-crds-adoption\n';

  it('under another name takes over what the uninstalled one has left', async () => {
    await plane.kubectl(['create', 'namespace', 'platform']);
    await helm('install', 'gate', CHART, '-n', 'platform', '--no-hooks');
    expect(await helm('get', 'hooks', 'gate', '-n', 'platform')).toContain('crds-adoption');
  });
});
