import { describe, expect, it } from '@jest/globals';
import { injectPod } from './inject-pod.ts';
import { INJECT, INJECTED, STATUS } from './names.ts';
import { containersOf, type Pod } from './pod.ts';
import { applied, containerOf, envOf, patched } from './testing/apply.ts';
import { aPod, anApp, env, someNamespace, someSettings } from './testing/pods.ts';

const settings = someSettings();

/** The pod as the API server would keep it. */
const injected = (pod: Pod, namespace = someNamespace(), under = settings): Pod => {
  const answer = injectPod(pod, namespace, under);
  if (answer.outcome !== 'injected') throw new Error(`${answer.outcome}: ${JSON.stringify(answer)}`);
  return patched(pod, answer.patch);
};
const warningsOf = (pod: Pod, namespace = someNamespace(), under = settings): string => {
  const answer = injectPod(pod, namespace, under);
  return answer.outcome === 'refused' ? '' : answer.warnings.join('\n');
};
const initNames = ({ spec }: Pod): readonly string[] => (spec.initContainers ?? []).map(({ name }) => name);

describe('an injected pod', () => {
  it('has the proxy as a native sidecar that listens on loopback, with its own token and spool', () => {
    const pod = injected(aPod());
    expect(containerOf(pod, 'tollgate-proxy')).toEqual({
      name: 'tollgate-proxy',
      image: settings.proxyImage,
      restartPolicy: 'Always',
      env: expect.any(Array),
      ports: [
        { name: 'tollgate-proxy', containerPort: 4100, protocol: 'TCP' },
        { name: 'tollgate-admin', containerPort: 4190, protocol: 'TCP' },
      ],
      startupProbe: { httpGet: { path: '/startupz', port: 4190 }, periodSeconds: 1, failureThreshold: 60 },
      livenessProbe: { httpGet: { path: '/livez', port: 4190 }, periodSeconds: 10, failureThreshold: 6 },
      resources: { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      volumeMounts: [
        { name: 'tollgate', mountPath: '/var/run/secrets/tollgate', readOnly: true },
        { name: 'tollgate-spool', mountPath: '/var/lib/tollgate/spool' },
        {
          name: 'tollgate-no-api-token',
          mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
          readOnly: true,
        },
      ],
    });
    expect(envOf(pod, 'tollgate-proxy')).toEqual({
      TOLLGATE_SERVER_URL: 'https://tollgate-server.tollgate-system.svc:4180',
      TOLLGATE_TOKEN_FILE: '/var/run/secrets/tollgate/token',
      TOLLGATE_SPOOL_DIR: '/var/lib/tollgate/spool',
      TOLLGATE_LISTEN: '127.0.0.1:4100',
      TOLLGATE_ADMIN_LISTEN: '0.0.0.0:4190',
      TOLLGATE_LOG_LEVEL: 'info',
      TOLLGATE_SUBJECT: expect.any(String),
    });
    expect(pod.spec.volumes).toEqual([
      {
        name: 'tollgate',
        projected: {
          defaultMode: 420,
          sources: [{ serviceAccountToken: { audience: 'tollgate', expirationSeconds: 3600, path: 'token' } }],
        },
      },
      { name: 'tollgate-spool', emptyDir: { sizeLimit: '320Mi' } },
      { name: 'tollgate-no-api-token', emptyDir: { medium: 'Memory', sizeLimit: '64Ki' } },
    ]);
  });

  it('says who it is, by its owner, its labels and its account', () => {
    const subject: unknown = JSON.parse(envOf(injected(aPod()), 'tollgate-proxy')['TOLLGATE_SUBJECT'] ?? '');
    expect(subject).toEqual({
      namespace: 'shop',
      workload: 'web',
      workloadKind: 'Deployment',
      serviceAccount: 'web',
      labels: { app: 'web', 'pod-template-hash': '5d9f7c' },
      team: 'shop',
    });
  });

  it('takes its team from the label that the settings name', () => {
    const pod = aPod({}, { labels: { 'example.com/team': 'search' } });
    const subject: unknown = JSON.parse(
      envOf(injected(pod, someNamespace(), someSettings({ teamLabel: 'example.com/team' })), 'tollgate-proxy')[
        'TOLLGATE_SUBJECT'
      ] ?? '',
    );
    expect(subject).toMatchObject({ team: 'search' });
  });

  it('carries the mark that the operator watches, and what it was injected with', () => {
    const { metadata } = injected(aPod());
    expect(metadata.labels).toEqual({ app: 'web', 'pod-template-hash': '5d9f7c', [INJECTED]: 'true' });
    expect(JSON.parse(metadata.annotations?.[STATUS] ?? '')).toEqual({
      version: '0.1.0+test',
      configHash: 'c0ffee',
      providers: ['openai', 'anthropic', 'gemini', 'azure'],
    });
  });

  it('keeps kubectl at the application, and lets the cluster take its node away', () => {
    expect(injected(aPod()).metadata.annotations).toMatchObject({
      'kubectl.kubernetes.io/default-container': 'app',
      'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes': 'tollgate-spool',
    });
    const annotations = {
      [INJECT]: 'true',
      'kubectl.kubernetes.io/default-container': 'other',
      'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes': 'cache',
    };
    expect(injected(aPod({}, { annotations })).metadata.annotations).toMatchObject({
      'kubectl.kubernetes.io/default-container': 'other',
      'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes': 'cache,tollgate-spool',
    });
  });

  it('changes nothing else of the pod', () => {
    const pod = aPod({ hostAliases: [{ ip: '1.2.3.4' }], futureField: { deep: [1, null] } });
    const after = injected(pod) as Pod & Record<string, unknown>;
    expect(after).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
    expect(after.spec).toMatchObject({ hostAliases: [{ ip: '1.2.3.4' }], futureField: { deep: [1, null] } });
    expect(containerOf(after, 'app')).toMatchObject({ image: 'shop/app:1' });
  });

  it('has labels, annotations and lists made for it where it has none, or null', () => {
    const bare = aPod(
      { volumes: null, initContainers: null },
      { labels: { [INJECT]: 'true' }, annotations: null, ownerReferences: null, name: 'solo', generateName: null },
    );
    expect(initNames(injected(bare))).toEqual(['tollgate-proxy']);
    const subject: unknown = JSON.parse(envOf(injected(bare), 'tollgate-proxy')['TOLLGATE_SUBJECT'] ?? '');
    expect(subject).toMatchObject({ workload: 'solo', workloadKind: 'Pod' });
  });
});

describe('the place of the proxy', () => {
  it.each([
    ['alone where there is no init container', [], ['tollgate-proxy']],
    ['before the init containers of the pod', ['migrate', 'seed'], ['tollgate-proxy', 'migrate', 'seed']],
    [
      'after Istio',
      ['istio-init', 'istio-proxy', 'migrate'],
      ['istio-init', 'istio-proxy', 'tollgate-proxy', 'migrate'],
    ],
    ['after Linkerd', ['linkerd-init', 'linkerd-proxy'], ['linkerd-init', 'linkerd-proxy', 'tollgate-proxy']],
    ['after a mesh that came last', ['migrate', 'kuma-sidecar'], ['migrate', 'kuma-sidecar', 'tollgate-proxy']],
  ])('is %s', (_, before, after) => {
    const pod = aPod({ initContainers: before.map((name) => ({ name, image: name })) });
    expect(initNames(injected(pod))).toEqual(after);
  });

  it('moves behind a mesh that was injected after it', () => {
    const pod = injected(aPod({ initContainers: [{ name: 'migrate' }] }));
    const meshed = aPod(
      { ...pod.spec, initContainers: [{ name: 'istio-proxy' }, ...(pod.spec.initContainers ?? [])] },
      pod.metadata,
    );
    const ahead = aPod(
      { ...pod.spec, initContainers: [...(pod.spec.initContainers ?? []), { name: 'istio-proxy' }] },
      pod.metadata,
    );
    expect(injectPod(meshed, someNamespace(), settings)).toMatchObject({ outcome: 'already', patch: [] });
    const answer = injectPod(ahead, someNamespace(), settings);
    if (answer.outcome !== 'repaired') throw new Error(answer.outcome);
    expect(initNames(patched(ahead, answer.patch))).toEqual(['migrate', 'istio-proxy', 'tollgate-proxy']);
  });

  it('leaves its admin port to the Linkerd proxy', () => {
    const pod = injected(aPod({ initContainers: [{ name: 'linkerd-proxy' }] }));
    expect(envOf(pod, 'tollgate-proxy')['TOLLGATE_ADMIN_LISTEN']).toBe('0.0.0.0:4189');
    expect(containerOf(pod, 'tollgate-proxy')).toMatchObject({ startupProbe: { httpGet: { port: 4189 } } });
  });
});

describe('what a pod says of the proxy', () => {
  const annotated = (annotations: Readonly<Record<string, string>>, spec = {}): Pod =>
    aPod(spec, { annotations: { [INJECT]: 'true', ...annotations } });

  it('is taken where it can be', () => {
    const pod = injected(
      annotated(
        {
          'tollgate.dev/providers': 'openai, anthropic',
          'tollgate.dev/containers': 'app',
          'tollgate.dev/log-level': 'debug',
          'tollgate.dev/proxy-port': '5100',
          'tollgate.dev/proxy-admin-port': '5190',
          'tollgate.dev/proxy-cpu-request': '50m',
          'tollgate.dev/proxy-cpu-limit': '0.5',
          'tollgate.dev/proxy-memory-limit': '80Mi',
        },
        { containers: [anApp(), anApp({ name: 'helper' })] },
      ),
    );
    expect(containerOf(pod, 'tollgate-proxy')).toMatchObject({
      resources: { requests: { cpu: '50m', memory: '80Mi' }, limits: { cpu: '0.5', memory: '80Mi' } },
      livenessProbe: { httpGet: { port: 5190 } },
    });
    expect(envOf(pod, 'tollgate-proxy')).toMatchObject({
      TOLLGATE_LISTEN: '127.0.0.1:5100',
      TOLLGATE_ADMIN_LISTEN: '0.0.0.0:5190',
      TOLLGATE_LOG_LEVEL: 'debug',
    });
    expect(envOf(pod, 'app')).toEqual({
      OPENAI_BASE_URL: 'http://127.0.0.1:5100/openai/v1',
      OPENAI_API_BASE: 'http://127.0.0.1:5100/openai/v1',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:5100/anthropic',
    });
    expect(envOf(pod, 'helper')).toEqual({});
  });

  it.each([
    ['tollgate.dev/providers', 'openai,grok'],
    ['tollgate.dev/containers', 'nobody'],
    ['tollgate.dev/log-level', 'loud'],
    ['tollgate.dev/proxy-port', '80'],
    ['tollgate.dev/proxy-port', '4190'],
    ['tollgate.dev/proxy-admin-port', '99999'],
    ['tollgate.dev/proxy-cpu-request', '-1'],
    ['tollgate.dev/proxy-cpu-limit', 'much'],
    ['tollgate.dev/proxy-cpu-limit', '1m'],
    ['tollgate.dev/proxy-memory-limit', '1Mi'],
    ['tollgate.dev/proxy-memory-request', '0'],
    ['tollgate.dev/rewrite-env', 'nope'],
  ])('is warned about and left at its default where %s is %j', (name, value) => {
    const pod = annotated({ [name]: value });
    expect(warningsOf(pod)).toContain(name);
    expect(containerOf(injected(pod), 'tollgate-proxy')).toEqual(containerOf(injected(aPod()), 'tollgate-proxy'));
    expect(containerOf(injected(pod), 'app')).toEqual(containerOf(injected(aPod()), 'app'));
  });

  it('cannot be the image, and a slip of the pen is told', () => {
    const pod = annotated({ 'tollgate.dev/proxy-image': 'evil/proxy', 'tollgate.dev/log-levle': 'debug' });
    expect(containerOf(injected(pod), 'tollgate-proxy').image).toBe(settings.proxyImage);
    expect(warningsOf(pod)).toContain('tollgate.dev/proxy-image: is no setting');
    expect(warningsOf(pod)).toContain('tollgate.dev/log-levle: is no setting');
  });

  it("can leave the application's variables alone", () => {
    const pod = injected(annotated({ 'tollgate.dev/rewrite-env': 'false' }));
    expect(envOf(pod, 'app')).toEqual({});
    expect(initNames(pod)).toEqual(['tollgate-proxy']);
  });

  it('has no say in what is covered where the namespace requires injection', () => {
    const pod = annotated({
      'tollgate.dev/rewrite-env': 'false',
      'tollgate.dev/providers': 'openai',
      'tollgate.dev/containers': 'app',
    });
    const namespace = someNamespace({ mode: 'required' });
    expect(envOf(injected(pod, namespace), 'app')).toEqual(envOf(injected(aPod()), 'app'));
    expect(warningsOf(pod, namespace)).toMatch(/rewrite-env: has no effect/);
  });
});

describe('the user of the proxy', () => {
  it("is the image's, unless the pod is root by its own word, or the settings name one", () => {
    const user = (spec: object, under = settings): unknown =>
      containerOf(injected(aPod({ ...spec }), someNamespace(), under), 'tollgate-proxy').securityContext?.runAsUser;
    expect(user({})).toBeUndefined();
    expect(user({ securityContext: { runAsUser: 1000 } })).toBeUndefined();
    expect(user({ securityContext: { runAsUser: 0 } })).toBe(65532);
    expect(user({}, someSettings({ runAsUser: 1001 }))).toBe(1001);
  });
});

describe('the keys of routes', () => {
  const routeKeys = [
    { matchLabels: null, keys: [{ secret: 'openai', key: 'api-key', toProviderAddress: null }] },
    { matchLabels: { app: 'web' }, keys: [{ secret: 'openai', key: 'other', toProviderAddress: null }] },
    { matchLabels: { app: 'batch' }, keys: [{ secret: 'anthropic', key: 'k', toProviderAddress: null }] },
  ];

  it('are mounted into the proxy alone, those of routes that are for the pod, and may be missing', () => {
    const pod = injected(aPod(), someNamespace({ routeKeys }));
    expect(pod.spec.volumes?.[0]?.projected?.sources?.slice(1)).toEqual([
      {
        secret: {
          name: 'openai',
          optional: true,
          items: [
            { key: 'api-key', path: 'keys/openai/api-key' },
            { key: 'other', path: 'keys/openai/other' },
          ],
        },
      },
    ]);
    expect(envOf(pod, 'tollgate-proxy')['TOLLGATE_SECRETS_DIR']).toBe('/var/run/secrets/tollgate/keys');
    expect(
      containersOf(pod).filter(({ volumeMounts }) => volumeMounts?.some(({ name }) => name === 'tollgate')),
    ).toHaveLength(1);
  });

  it("are never sent to an address that the pod's author has set", () => {
    const own = [{ matchLabels: null, keys: [{ secret: 'openai', key: 'k', toProviderAddress: 'openai' as const }] }];
    const pod = aPod({ containers: [anApp({ env: env({ OPENAI_BASE_URL: 'https://collect.example/v1' }) })] });
    const namespace = someNamespace({ routeKeys: own });
    const after = injected(pod, namespace);
    expect(envOf(after, 'tollgate-proxy')).not.toHaveProperty('TOLLGATE_UPSTREAM_OPENAI');
    expect(envOf(after, 'app')['OPENAI_BASE_URL']).toBe('https://collect.example/v1');
    expect(warningsOf(pod, namespace)).toMatch(/OPENAI_BASE_URL .* ModelRoute sends a key to openai/);
  });
});

describe('a second look', () => {
  it('finds nothing to do', () => {
    const pod = injected(aPod({ initContainers: [{ name: 'migrate' }] }));
    expect(injectPod(pod, someNamespace(), settings)).toMatchObject({ outcome: 'already', patch: [] });
  });

  it('finds nothing to do where the API server has filled in its defaults', () => {
    const pod = injected(aPod());
    const [proxy] = pod.spec.initContainers ?? [];
    const stored = applied(pod, [
      { op: 'add', path: '/spec/initContainers/0/terminationMessagePath', value: '/dev/termination-log' },
      { op: 'add', path: '/spec/initContainers/0/imagePullPolicy', value: 'IfNotPresent' },
      { op: 'add', path: '/spec/initContainers/0/startupProbe/timeoutSeconds', value: 1 },
      { op: 'add', path: '/spec/initContainers/0/resources/limits/cpu', value: '1' },
    ]);
    expect(proxy).toBeDefined();
    expect(injectPod(stored, someNamespace(), settings)).toMatchObject({ outcome: 'already', patch: [] });
  });
});
