/** What the chart renders: without a value, and with each switch. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { InjectionSettingsSchema } from '@tollgate/operator/chart';
import { parse } from 'yaml';
import { CHART, EVERYTHING, find, namesOf, render, renderText, runHelm, type Manifest } from './testing/helm.ts';
import { podsOf } from './testing/pod-specs.ts';

const ROOT = join(CHART, '../..');

const hookOf = ({ metadata: { annotations = {} } }: Manifest): string | undefined => annotations['helm.sh/hook'];

describe('without a value', () => {
  let manifests: readonly Manifest[];
  beforeAll(async () => {
    manifests = await render();
  });

  it('installs three programs, each with an identity, and the stores that they need', () => {
    expect(namesOf(manifests.filter((manifest) => hookOf(manifest) === undefined)).toSorted()).toMatchSnapshot();
  });

  it('makes passwords before it is installed, and nothing else', () => {
    const before = manifests.filter((manifest) => hookOf(manifest)?.includes('pre-install') ?? false);
    expect(namesOf(before)).toEqual([
      'ServiceAccount tollgate-system/tollgate-stores-passwords',
      'ConfigMap tollgate-system/tollgate-stores-passwords',
      'Role tollgate-system/tollgate-stores-passwords',
      'RoleBinding tollgate-system/tollgate-stores-passwords',
      'Job tollgate-system/tollgate-stores-passwords',
    ]);
  });

  it('starts two of each program, at most one of which is away at a time', () => {
    for (const program of ['operator', 'injector', 'server']) {
      expect(find(manifests, 'Deployment', `tollgate-${program}`)['spec'].replicas).toBe(2);
      expect(find(manifests, 'PodDisruptionBudget', `tollgate-${program}`)['spec'].maxUnavailable).toBe(1);
    }
  });

  it('gives each program an account of its own, and none the default token unless it asks the API server', () => {
    const pods = podsOf(manifests);
    const accounts = pods.map(({ of, spec }) => `${of}: ${String(spec.serviceAccountName ?? 'default')}`);
    expect(accounts).toEqual([
      'Deployment tollgate-injector: tollgate-injector',
      'Deployment tollgate-operator: tollgate-operator',
      'Deployment tollgate-server: tollgate-server',
      'Deployment tollgate-redis: default',
      'StatefulSet tollgate-postgres: default',
      'Pod tollgate-test: tollgate-test',
      'Job tollgate-stores-passwords: tollgate-stores-passwords',
    ]);
    expect(pods.map(({ spec }) => spec.automountServiceAccountToken)).toEqual(pods.map(() => false));
    const withToken = pods
      .filter(({ spec }) => spec.volumes.some(({ name }: { name: string }) => name === 'api-token'))
      .map(({ of }) => of);
    expect(withToken).not.toContain('StatefulSet tollgate-postgres');
    expect(withToken).not.toContain('Deployment tollgate-redis');
  });

  it('tells the server that the operator says what holds, and which ServiceAccount that is', () => {
    const [{ env }] = find(manifests, 'Deployment', 'tollgate-server')['spec'].template.spec.containers;
    expect(env).toMatchSnapshot();
  });

  it('gives the operator a token for the server, and for nobody else', () => {
    const { volumes } = find(manifests, 'Deployment', 'tollgate-operator')['spec'].template.spec;
    expect(volumes).toContainEqual({
      name: 'server-token',
      projected: {
        sources: [{ serviceAccountToken: { audience: 'tollgate-management', expirationSeconds: 3600, path: 'token' } }],
      },
    });
  });

  it('asks about pods that opted in and about no other', () => {
    const { webhooks } = find(manifests, 'MutatingWebhookConfiguration', 'tollgate-injector');
    expect(webhooks).toMatchSnapshot();
  });

  it('writes settings that the injector understands', () => {
    const told = parse(find(manifests, 'ConfigMap', 'tollgate-injection')['data']['injection.yaml']);
    expect(InjectionSettingsSchema.parse(told)).toMatchObject({
      proxyImage: 'docker.io/tollgate/tollgate-proxy:0.1.0',
      serverUrl: 'http://tollgate-server.tollgate-system.svc:4180',
      systemNamespace: 'tollgate-system',
      allowPrivateUpstreams: true,
    });
  });

  it('leaves the certificate of the webhook to the injector', async () => {
    expect(await renderText()).not.toContain('caBundle');
  });

  it('renders no Secret', () => {
    expect(namesOf(manifests).filter((name) => name.startsWith('Secret '))).toEqual([]);
  });

  it('never replaces the pod of a PostgreSQL that keeps its data in that pod', () => {
    expect(find(manifests, 'StatefulSet', 'tollgate-postgres')['spec'].updateStrategy).toEqual({ type: 'OnDelete' });
  });
});

it('renders the same each time, whatever is switched on', async () => {
  expect(await renderText()).toBe(await renderText());
  expect(await renderText({ values: EVERYTHING })).toBe(await renderText({ values: EVERYTHING }));
});

it('names a tag or a digest for every image, and a digest wins', async () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const values = { ...EVERYTHING, images: { prefix: 'registry.example/team', tag: 'v2', proxy: { digest } } };
  const images = new Set(
    podsOf(await render({ values })).flatMap(({ spec }) =>
      [...spec.containers, ...(spec.initContainers ?? [])].map(({ image }: { image: string }) => image),
    ),
  );
  expect([...images].toSorted()).toEqual([
    'docker.io/library/postgres:17.4',
    'docker.io/library/redis:7.4.2',
    `registry.example/team/tollgate-operator:v2`,
    `registry.example/team/tollgate-proxy@${digest}`,
    `registry.example/team/tollgate-server:v2`,
  ]);
});

it('lets every pod run under Pod Security "restricted", with a bound on its memory and a request for its CPU', async () => {
  for (const { of, spec } of podsOf(await render({ values: EVERYTHING }))) {
    expect({ of, context: spec.securityContext }).toMatchObject({
      of,
      context: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
      expect({ of, ...container }).toMatchObject({
        of,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: {
          requests: { cpu: expect.anything(), memory: expect.anything() },
          limits: { memory: expect.anything() },
        },
      });
    }
  }
});

it.each([
  ['operator', ['operator/src/config.ts']],
  ['injector', ['operator/src/webhook/injector-config.ts']],
  ['server', ['packages/cli/src/server-process/settings.ts']],
  ['gateway', ['sidecar/src/config.ts']],
])('sets nothing for the %s that its program does not read', async (program, sources) => {
  const [{ env }] = find(await render({ values: EVERYTHING }), 'Deployment', `tollgate-${program}`)['spec'].template
    .spec.containers;
  const read = sources.map((source) => readFileSync(join(ROOT, source), 'utf8')).join('');
  expect(env.length).toBeGreaterThan(5);
  expect(env.map(({ name }: { name: string }) => name).filter((name: string) => !read.includes(`'${name}'`))).toEqual(
    [],
  );
});

describe('a release of another name in another namespace', () => {
  it('names its objects after it, and talks to them by these names', async () => {
    const manifests = await render({ release: 'budget', namespace: 'platform', values: EVERYTHING });
    const text = JSON.stringify(manifests);
    expect(text).not.toContain('tollgate-system');
    expect(find(manifests, 'Deployment', 'budget-tollgate-operator').metadata.namespace).toBe('platform');
    expect(text).toContain('http://budget-tollgate-server.platform.svc:4180');
    expect(text).toContain('"platform/budget-tollgate-operator"');
  });

  it('takes the name that it is given', async () => {
    const manifests = await render({ values: { fullnameOverride: 'gate' } });
    expect(find(manifests, 'Service', 'gate-server').kind).toBe('Service');
  });
});

describe('stores of your own', () => {
  it('from Secrets: nothing of the built-in ones is left, and no password is made', async () => {
    const values = { database: { existingSecret: 'pg', existingSecretKey: 'url' }, redis: { existingSecret: 'cache' } };
    const manifests = await render({ values });
    expect(namesOf(manifests).filter((name) => /postgres|redis|stores/.test(name))).toEqual([]);
    const [{ env }] = find(manifests, 'Deployment', 'tollgate-server')['spec'].template.spec.containers;
    expect(env).toContainEqual({ name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'pg', key: 'url' } } });
    expect(env).toContainEqual({ name: 'REDIS_URL', valueFrom: { secretKeyRef: { name: 'cache', key: 'redis-url' } } });
  });

  it('from URLs: they lie in Secrets of the release', async () => {
    const url = 'postgres://me:pw@db.example:5432/tollgate';
    const manifests = await render({ values: { database: { url } } });
    expect(find(manifests, 'Secret', 'tollgate-database')['stringData']).toEqual({ 'database-url': url });
    const [{ env }] = find(manifests, 'Deployment', 'tollgate-server')['spec'].template.spec.containers;
    expect(JSON.stringify(env)).not.toContain('pw@');
    expect(namesOf(manifests)).not.toContain('StatefulSet tollgate-system/tollgate-postgres');
    expect(namesOf(manifests)).toContain('Deployment tollgate-system/tollgate-redis');
  });

  it('no Redis at all: each server has a pool of its own', async () => {
    const manifests = await render({ values: { redis: { enabled: false } } });
    expect(JSON.stringify(find(manifests, 'Deployment', 'tollgate-server'))).not.toContain('REDIS_URL');
    expect(namesOf(manifests).filter((name) => name.includes('redis'))).toEqual([]);
  });

  it('a volume for the built-in PostgreSQL, which then may be replaced', async () => {
    const values = {
      database: { builtIn: { persistence: { enabled: true, size: '20Gi', storageClassName: 'fast' } } },
    };
    const { spec } = { spec: find(await render({ values }), 'StatefulSet', 'tollgate-postgres')['spec'] };
    expect(spec.updateStrategy).toEqual({ type: 'RollingUpdate' });
    expect(spec.volumeClaimTemplates[0].spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'fast',
      resources: { requests: { storage: '20Gi' } },
    });
  });
});

describe('the certificate of the webhook', () => {
  it('from cert-manager, which then also publishes it', async () => {
    const manifests = await render({ values: { webhook: { certManager: { enabled: true } } } });
    expect(find(manifests, 'MutatingWebhookConfiguration', 'tollgate-injector').metadata.annotations).toEqual({
      'cert-manager.io/inject-ca-from': 'tollgate-system/tollgate-webhook',
    });
    expect(find(manifests, 'Certificate', 'tollgate-webhook')['spec']).toMatchObject({
      dnsNames: ['tollgate-injector.tollgate-system.svc'],
      issuerRef: { kind: 'Issuer', name: 'tollgate-webhook' },
    });
    expect(find(manifests, 'Issuer', 'tollgate-webhook')['spec']).toEqual({ selfSigned: {} });
  });

  it('from an issuer of yours', async () => {
    const issuerRef = { kind: 'ClusterIssuer', name: 'internal' };
    const manifests = await render({ values: { webhook: { certManager: { enabled: true, issuerRef } } } });
    expect(find(manifests, 'Certificate', 'tollgate-webhook')['spec'].issuerRef).toEqual(issuerRef);
    expect(namesOf(manifests).filter((name) => name.startsWith('Issuer '))).toEqual([]);
  });
});

it('takes a certificate of yours, with its authority, and lets the operator alone', async () => {
  const manifests = await render({ values: { webhook: { existingSecret: 'mine', caBundle: 'YWJj' } } });
  const { webhooks } = find(manifests, 'MutatingWebhookConfiguration', 'tollgate-injector');
  expect(webhooks.map(({ clientConfig }: { clientConfig: { caBundle: string } }) => clientConfig.caBundle)).toEqual(
    webhooks.map(() => 'YWJj'),
  );
  expect(JSON.stringify(find(manifests, 'Role', 'tollgate-injector'))).toContain('"resourceNames":["mine"]');
  expect(JSON.stringify(find(manifests, 'ClusterRole', 'tollgate-operator'))).not.toContain('mutatingwebhook');
});

describe('the gateway', () => {
  it('is there only where it is asked for, and listens to other pods', async () => {
    expect(namesOf(await render()).filter((name) => name.includes('gateway'))).toEqual([]);
    const manifests = await render({ values: { gateway: { enabled: true } } });
    expect(
      namesOf(manifests)
        .filter((name) => name.includes('gateway'))
        .toSorted(),
    ).toEqual([
      'Deployment tollgate-system/tollgate-gateway',
      'NetworkPolicy tollgate-system/tollgate-gateway',
      'PodDisruptionBudget tollgate-system/tollgate-gateway',
      'Service tollgate-system/tollgate-gateway',
      'ServiceAccount tollgate-system/tollgate-gateway',
    ]);
    const [{ env }] = find(manifests, 'Deployment', 'tollgate-gateway')['spec'].template.spec.containers;
    expect(env).toContainEqual({ name: 'TOLLGATE_LISTEN', value: '0.0.0.0:4100' });
  });

  it('asks who calls, but where it is told not to', async () => {
    for (const [given, value] of [
      [{}, 'true'],
      [{ requireTokens: false }, 'false'],
    ] as const) {
      const manifests = await render({ values: { gateway: { enabled: true, ...given } } });
      const [{ env }] = find(manifests, 'Deployment', 'tollgate-gateway')['spec'].template.spec.containers;
      expect(env).toContainEqual({ name: 'TOLLGATE_REQUIRE_TOKENS', value });
    }
  });

  it('under an HPA says no number of its own', async () => {
    const manifests = await render({ values: { gateway: { enabled: true, autoscaling: { enabled: true } } } });
    expect(find(manifests, 'Deployment', 'tollgate-gateway')['spec'].replicas).toBeUndefined();
    expect(find(manifests, 'HorizontalPodAutoscaler', 'tollgate-gateway')['spec']).toMatchObject({
      minReplicas: 2,
      maxReplicas: 10,
    });
  });
});

describe('injection by policy', () => {
  it('needs no injector, and warns of what it cannot carry', async () => {
    const manifests = await render({ values: { injection: { mode: 'policy' } } });
    expect(namesOf(manifests).filter((name) => /[/-]injector$/.test(name))).toEqual([]);
    expect(namesOf(manifests).filter((name) => name.startsWith('Mutating'))).toEqual([
      'MutatingAdmissionPolicy enabled.inject.tollgate.dev',
      'MutatingAdmissionPolicy required.inject.tollgate.dev',
      'MutatingAdmissionPolicy pod.inject.tollgate.dev',
      'MutatingAdmissionPolicyBinding enabled.inject.tollgate.dev',
      'MutatingAdmissionPolicyBinding required.inject.tollgate.dev',
      'MutatingAdmissionPolicyBinding pod.inject.tollgate.dev',
    ]);
    expect(namesOf(manifests)).toContain('ValidatingAdmissionPolicy misplaced-annotation.tollgate.dev');
  });

  it.each([
    ['1.36.0', 'admissionregistration.k8s.io/v1'],
    ['1.34.4', 'admissionregistration.k8s.io/v1beta1'],
  ])('in Kubernetes %s is of %s', async (kubeVersion, version) => {
    const manifests = await render({ kubeVersion, values: { injection: { mode: 'policy' } } });
    expect(find(manifests, 'MutatingAdmissionPolicy', 'pod.inject.tollgate.dev').apiVersion).toBe(version);
  });
});

describe('switched off', () => {
  it.each([
    ['crds', { crds: { enabled: false } }, 'CustomResourceDefinition'],
    ['policies', { policies: { enabled: false } }, 'ValidatingAdmissionPolicy'],
    ['networkPolicies', { networkPolicies: { enabled: false } }, 'NetworkPolicy'],
    ['podDisruptionBudget', { podDisruptionBudget: { enabled: false } }, 'PodDisruptionBudget'],
  ])('%s: none is rendered', async (_name, values, kind) => {
    const kinds = (await render({ values })).map((manifest) => manifest.kind);
    expect(kinds).not.toContain(kind);
    expect((await render()).map((manifest) => manifest.kind)).toContain(kind);
  });

  it('crds.keep: the definitions go with the release', async () => {
    const kept = async (keep: boolean): Promise<readonly unknown[]> =>
      (await render({ values: { crds: { keep } } }))
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
        .map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);
    expect(await kept(true)).toEqual(['keep', 'keep', 'keep']);
    expect(await kept(false)).toEqual([undefined, undefined, undefined]);
  });
});

it('brings the definitions of crds/ as they are', async () => {
  const manifests = await render();
  for (const plural of ['tokenbudgets', 'modelroutes', 'llminferenceservices']) {
    const applied = parse(readFileSync(join(ROOT, `crds/tollgate.dev_${plural}.yaml`), 'utf8'));
    expect(find(manifests, 'CustomResourceDefinition', `${plural}.tollgate.dev`)['spec']).toEqual(applied.spec);
  }
});

it('lets the proxies be read by the name of their port, which is not the same in every pod', async () => {
  const manifests = await render({ values: EVERYTHING });
  expect(find(manifests, 'PodMonitor', 'tollgate-proxies')['spec']).toMatchObject({
    namespaceSelector: { any: true },
    podMetricsEndpoints: [{ port: 'tollgate-admin' }],
  });
});

it('alerts and draws only what the processes count', async () => {
  const manifests = await render({ values: EVERYTHING });
  const documented = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  const asked = [
    JSON.stringify(find(manifests, 'PrometheusRule', 'tollgate-alerts')),
    JSON.stringify(find(manifests, 'ConfigMap', 'tollgate-dashboard')['data']),
  ].flatMap((text) => text.match(/\btollgate_[a-z_]+/g) ?? []);
  expect(asked.length).toBeGreaterThan(20);
  expect([...new Set(asked)].filter((name) => !documented.includes(`\`${name.replace(/_bucket$/, '')}\``))).toEqual([]);
});

it('puts your labels on every object, and your objects beside them', async () => {
  const extra = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'mine' } };
  const manifests = await render({
    values: { ...EVERYTHING, commonLabels: { team: 'platform' }, extraObjects: [extra] },
  });
  expect(manifests).toContainEqual(extra);
  const without = manifests.filter(
    ({ metadata }) => metadata.name !== 'mine' && metadata.labels?.['team'] !== 'platform',
  );
  expect(namesOf(without)).toEqual([]);
});

it('is as old as the product', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});

it('passes helm lint, strictly', async () => {
  expect(await runHelm(['lint', '--strict', CHART])).toContain('1 chart(s) linted, 0 chart(s) failed');
});
