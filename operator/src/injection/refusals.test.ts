import { describe, expect, it } from '@jest/globals';
import type { NamespaceFacts } from './facts.ts';
import { injectPod, type Injection } from './inject-pod.ts';
import { INJECT, INJECTED } from './names.ts';
import { aPod, anApp, env, someNamespace, someSettings } from './testing/pods.ts';

const settings = someSettings({ imageMirrors: ['mirror.test/tollgate-proxy'] });
const inject = (
  spec: Readonly<Record<string, unknown>>,
  { metadata = {}, namespace = {} }: { metadata?: object; namespace?: Partial<NamespaceFacts> } = {},
): Injection => injectPod(aPod(spec, { ...metadata }), someNamespace(namespace), settings);
const reasonOf = (answer: Injection): string =>
  'reason' in answer ? `${answer.outcome} ${answer.reason}` : answer.outcome;
const annotated = (value: string): object => ({ annotations: { [INJECT]: value } });
const labelled = (value: string): object => ({ annotations: {}, labels: { [INJECT]: value } });
const plain = { annotations: {}, labels: {} };

describe('whether a pod is injected', () => {
  it.each<[string, object, Partial<NamespaceFacts>, string]>([
    ['asked for by its annotation', annotated('true'), {}, 'injected'],
    ['asked for by its label', labelled('true'), {}, 'injected'],
    ['asked for by its namespace', plain, { mode: 'enabled' }, 'injected'],
    ['asked for by nobody', plain, {}, 'skipped NotOptedIn'],
    ['asked for in a word that is no yes', annotated('yes'), {}, 'skipped NotOptedIn'],
    ['declined by its annotation', annotated('false'), { mode: 'enabled' }, 'skipped OptedOut'],
    ['declined by its label', labelled('false'), { mode: 'enabled' }, 'skipped OptedOut'],
    [
      'declined in one place and asked for in the other',
      { annotations: { [INJECT]: 'true' }, labels: { [INJECT]: 'false' } },
      {},
      'skipped OptedOut',
    ],
    ['asked for where its namespace forbids it', annotated('true'), { mode: 'disabled' }, 'skipped NamespaceDisabled'],
    ['declined where its namespace requires it', annotated('false'), { mode: 'required' }, 'injected'],
    ['declined by label where its namespace requires it', labelled('false'), { mode: 'required' }, 'injected'],
    ["in Tollgate's own namespace", annotated('true'), { name: 'tollgate-system' }, 'skipped NamespaceExcluded'],
    ["in the cluster's own namespace", annotated('true'), { name: 'kube-system' }, 'skipped NamespaceExcluded'],
    [
      "in the cluster's own namespace, labelled by mistake",
      plain,
      { name: 'kube-system', mode: 'required' },
      'skipped NamespaceExcluded',
    ],
    [
      'a static pod',
      { annotations: { [INJECT]: 'true', 'kubernetes.io/config.mirror': 'x' } },
      {},
      'skipped MirrorPod',
    ],
  ])('%s', (_, metadata, namespace, expected) => {
    expect(reasonOf(inject({}, { metadata, namespace }))).toBe(expected);
  });

  it('is told where the word is neither yes nor no', () => {
    expect(inject({}, { metadata: annotated('yes') })).toMatchObject({
      warnings: [expect.stringMatching(/tollgate.dev\/inject must be "true" or "false", not "yes"/)],
    });
  });
});

describe('a pod that cannot be injected', () => {
  const cases: [string, Readonly<Record<string, unknown>>, Partial<NamespaceFacts>, string][] = [
    ['on the network of its node', { hostNetwork: true }, {}, 'HostNetwork'],
    ['for Windows', { os: { name: 'windows' } }, {}, 'Windows'],
    ['for nodes with Windows', { nodeSelector: { 'kubernetes.io/os': 'windows' } }, {}, 'Windows'],
    ['on a cluster without native sidecars', {}, { kubernetesMinor: 28 }, 'KubernetesTooOld'],
    ['that uses the port of the proxy', { containers: [anApp({ ports: [{ containerPort: 4100 }] })] }, {}, 'PortInUse'],
    [
      'whose init container uses the admin port',
      { initContainers: [{ name: 'setup', ports: [{ containerPort: 4190 }] }] },
      {},
      'PortInUse',
    ],
    ['without containers', { containers: [] }, {}, 'NoContainers'],
    ['with null for its containers', { containers: null }, {}, 'NoContainers'],
    ['with nothing but a mesh', { containers: [{ name: 'istio-proxy' }] }, {}, 'NoContainers'],
  ];

  it.each(cases)('%s is left alone', (_, spec, namespace, reason) => {
    expect(reasonOf(inject(spec, { namespace }))).toBe(`skipped ${reason}`);
  });

  it.each(cases)('%s is refused where injection is required', (_, spec, namespace, reason) => {
    const answer = inject(spec, { namespace: { ...namespace, mode: 'required' } });
    expect(reasonOf(answer)).toBe('refused InjectionRequired');
    expect(answer).toMatchObject({ message: expect.stringContaining(reason) });
  });

  it('is told which annotation moves the proxy out of its way', () => {
    expect(inject({ containers: [anApp({ ports: [{ containerPort: 4100 }] })] })).toMatchObject({
      message: expect.stringContaining('tollgate.dev/proxy-port'),
    });
  });
});

describe('a pod that poses as one with the proxy', () => {
  const proxy = (changes: object): object => ({ name: 'tollgate-proxy', image: settings.proxyImage, ...changes });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['with an image of its own', { initContainers: [proxy({ image: 'evil/proxy:1' })] }, 'ForgedProxy'],
    [
      'with an image whose name only begins alike',
      { initContainers: [proxy({ image: 'registry.test:5000/tollgate-proxy-evil' })] },
      'ForgedProxy',
    ],
    ['with no image', { initContainers: [proxy({ image: null })] }, 'ForgedProxy'],
    ['as an application', { containers: [anApp(), proxy({})] }, 'ForgedProxy'],
    ['twice', { initContainers: [proxy({}), proxy({})] }, 'ForgedProxy'],
    [
      'with its token in the application',
      { containers: [anApp({ volumeMounts: [{ name: 'tollgate', mountPath: '/x' }] })] },
      'MountsProxyVolume',
    ],
    [
      'with its spool in an init container',
      { initContainers: [{ name: 'peek', volumeMounts: [{ name: 'tollgate-spool', mountPath: '/x' }] }] },
      'MountsProxyVolume',
    ],
    [
      'with a token of its audience',
      {
        volumes: [
          { name: 'mine', projected: { sources: [{ serviceAccountToken: { audience: 'tollgate', path: 't' } }] } },
        ],
      },
      'ForgedToken',
    ],
    [
      'as its user, with shared processes',
      { shareProcessNamespace: true, containers: [anApp({ securityContext: { runAsUser: 65532 } })] },
      'SharesProcesses',
    ],
    [
      "as the pod's user, with shared processes",
      { shareProcessNamespace: true, securityContext: { runAsUser: 1000 } },
      'SharesProcesses',
    ],
    [
      'as its user, among the processes of the node',
      { hostPID: true, containers: [anApp({ securityContext: { runAsUser: 65532 } })] },
      'SharesProcesses',
    ],
  ])('%s is refused', (_, spec, reason) => {
    expect(reasonOf(inject(spec))).toBe(`refused ${reason}`);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['a mount of something else', { containers: [anApp({ volumeMounts: [{ name: 'data', mountPath: '/x' }] })] }],
    [
      'a token of another audience',
      { volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { audience: 'vault', path: 't' } }] } }] },
    ],
    ['the same user, without shared processes', { containers: [anApp({ securityContext: { runAsUser: 65532 } })] }],
  ])('is not one with %s', (_, spec) => {
    expect(reasonOf(inject(spec))).toBe('injected');
  });

  it('is refused for shared processes where there is more to lose', () => {
    const spec = { shareProcessNamespace: true };
    const routeKeys = [{ matchLabels: null, keys: [{ secret: 's', key: 'k', toProviderAddress: null }] }];
    expect(inject(spec)).toMatchObject({ outcome: 'injected', warnings: [expect.stringMatching(/shares processes/)] });
    expect(reasonOf(inject(spec, { namespace: { routeKeys } }))).toBe('refused SharesProcesses');
    expect(reasonOf(inject(spec, { namespace: { mode: 'required' } }))).toBe('refused SharesProcesses');
  });

  it.each<[string, object, object]>([
    ['the label of the injected', {}, { annotations: {}, labels: { [INJECTED]: 'true' } }],
    [
      'its container',
      { initContainers: [proxy({ restartPolicy: 'Always' })] },
      { annotations: { [INJECT]: 'false' }, labels: {} },
    ],
  ])('is refused with %s where it is not to be injected', (_, spec, metadata) => {
    expect(reasonOf(inject({ ...spec }, { metadata }))).toBe('refused ForgedProxy');
  });

  it("takes the proxy's image of another version, or of a mirror, for the proxy", () => {
    for (const image of [
      'registry.test:5000/tollgate-proxy:0.0.9',
      `mirror.test/tollgate-proxy@sha256:${'0a'.repeat(32)}`,
    ]) {
      expect(reasonOf(inject({ initContainers: [proxy({ image })] }))).toBe('repaired');
    }
  });
});

describe('a base URL that leads past the proxy', () => {
  it('is refused where injection is required', () => {
    const spec = {
      containers: [
        anApp({ env: [{ name: 'OPENAI_BASE_URL', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }] }),
      ],
    };
    expect(reasonOf(inject(spec))).toBe('injected');
    const answer = inject(spec, { namespace: { mode: 'required' } });
    expect(answer).toMatchObject({
      reason: 'BaseUrlNotAdopted',
      message:
        'OPENAI_BASE_URL of container app leads past the proxy: it comes from valueFrom, which is not known here',
    });
  });

  it('is adopted there like anywhere else', () => {
    const spec = { containers: [anApp({ env: env({ OPENAI_BASE_URL: 'https://gateway.example/v1' }) })] };
    expect(reasonOf(inject(spec, { namespace: { mode: 'required' } }))).toBe('injected');
  });
});
