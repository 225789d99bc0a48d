/** What a team may do that owns its namespace, and what it may not: the money is the platform's. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from './testing/eventually.ts';
import { apply, getJson, kubectl, tryKubectl, type Said } from './testing/kubectl.ts';
import { instanceOf } from './testing/ledger.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
const TENANT = 'a-tenant';

const PROXY = 'tollgate-proxy';

const aContainer = (name: string, image = 'localhost/tollgate-server:dev'): object => ({
  name,
  image,
  imagePullPolicy: 'IfNotPresent',
  command: ['node', '--eval', 'setInterval(() => undefined, 60_000)'],
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
});

const aPod = (metadata: object = { name: 'app' }, spec: object = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'another', ...metadata },
    spec: {
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [aContainer('app')],
      ...spec,
    },
  });

const aRoute = (provider: object): string =>
  JSON.stringify({
    apiVersion: 'tollgate.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'ours' },
    spec: { rules: [{ name: 'all', backends: [{ name: 'first', provider }] }] },
  });

const KEY = { credentialsSecretRef: { name: 'openai', key: 'api-key' } };

interface PodObject {
  readonly spec: { readonly initContainers?: readonly { readonly name: string; readonly image: string }[] };
}

/** What the server says to whom, asked from within the cluster. */
interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Three seconds are enough for a snapshot stream to begin, which has no end. */
const ASKING = `
  const [token, method, path, body] = process.argv.slice(1);
  const answer = await fetch('http://tollgate-server.${SYSTEM}.svc:4180' + path, {
    method,
    headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(3_000),
    ...(body === '' ? {} : { body }),
  });
  const text = answer.status === 200 && path.startsWith('/v1/snapshots') ? '' : await answer.text();
  process.stdout.write(JSON.stringify({ status: answer.status, text }));
  process.exit(0);`;

const askServer = async (token: string, method: string, path: string, body?: object): Promise<Answer> => {
  const node = ['exec', '-n', SYSTEM, 'deployment/tollgate-server', '--', 'node', '--input-type=module'];
  const said = JSON.stringify(body) ?? '';
  return JSON.parse(await kubectl([...node, '--eval', ASKING, token, method, path, said])) as Answer;
};

const NEEDS = [{ budget: `${SYSTEM}/platform`, limit: 'daily', partition: '', need: '1', prefer: '1' }];

/** All that a proxy may ask, by one who says to be `instance`. */
const asProxy = (
  instance: string,
  namespace: string,
): readonly (readonly [method: string, path: string, body?: object])[] => [
  [
    'POST',
    '/v1/hello',
    { contract: 1, instance, version: '1', subject: { namespace, workload: 'app', labels: {}, team: namespace } },
  ],
  ['POST', '/v1/lease', { instance, seq: 1, needs: NEEDS }],
  ['GET', `/v1/snapshots?instance=${instance}`],
  ['POST', '/v1/running', { instance, snapshot: 'v1' }],
];

describe('who may edit a namespace, and no more', () => {
  /** Injection is required in it; in the other one nobody is injected. */
  let namespace: StoryNamespace;
  let other: StoryNamespace;
  const as = (args: readonly string[], input?: string, where = namespace): Promise<Said> =>
    tryKubectl(['--as', TENANT, '-n', where.name, ...args], input);
  const can = async (...args: readonly string[]): Promise<string> =>
    (await as(['auth', 'can-i', ...args])).stdout.trim();
  const dryRun = (input: string): Promise<Said> => as(['create', '--dry-run=server', '-o', 'json', '-f', '-'], input);
  const tokenOf = async (audience: string, where: StoryNamespace, bound: readonly string[] = []): Promise<string> => {
    const { code, stdout, stderr } = await as(
      ['create', 'token', 'default', '--audience', audience, ...bound],
      undefined,
      where,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.trim();
  };

  beforeAll(async () => {
    await ensureRelease();
    const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    namespace = await makeNamespace('tenant', { ...restricted, 'tollgate.dev/injection': 'required' });
    other = await makeNamespace('tenant-too', restricted);
    await apply(
      ...[namespace, other].map(({ name }) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'tenant', namespace: name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: TENANT }],
      })),
      {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'ours', namespace: namespace.name },
        spec: { limits: [{ name: 'daily', cost: { max: '1' }, period: 'Day' }] },
      },
      {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'platform', namespace: SYSTEM },
        spec: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace.name } },
          limits: [{ name: 'daily', cost: { max: '1' }, period: 'Day' }],
        },
      },
    );
  }, INSTALL_MS);
  afterAll(async () => {
    await tryKubectl(['delete', 'tokenbudget', 'platform', '-n', SYSTEM, '--ignore-not-found']);
    await namespace?.remove();
    await other?.remove();
  });

  it('sees budgets and writes routes, but writes no budget', async () => {
    expect(await can('list', 'tokenbudgets.tollgate.dev')).toBe('yes');
    expect(await can('create', 'modelroutes.tollgate.dev')).toBe('yes');
    for (const verb of ['create', 'update', 'patch', 'delete', 'deletecollection'])
      expect(`${verb} ${await can(verb, 'tokenbudgets.tollgate.dev')}`).toBe(`${verb} no`);
    const raised = '{"spec":{"limits":[{"name":"daily","cost":{"max":"1000"},"period":"Day"}]}}';
    const { code, stderr } = await as(['patch', 'tokenbudget', 'ours', '--type=merge', '-p', raised]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('forbidden') });
  });

  it('writes no status either, by which a limit would look unspent', async () => {
    for (const kind of ['tokenbudgets', 'modelroutes', 'llminferenceservices'])
      expect(`${kind} ${await can('patch', `${kind}.tollgate.dev`, '--subresource=status')}`).toBe(`${kind} no`);
  });

  it("reads no Secret of Tollgate, and nothing else in Tollgate's namespace", async () => {
    const reads = [
      'secrets',
      'pods',
      'pods/log',
      'configmaps',
      'tokenbudgets.tollgate.dev',
      'modelroutes.tollgate.dev',
    ];
    for (const what of reads)
      expect(`${what} ${(await as(['auth', 'can-i', 'get', what, '-n', SYSTEM])).stdout.trim()}`).toBe(`${what} no`);
    for (const what of ['pods/exec', 'pods/portforward', 'serviceaccounts/token'])
      expect(`${what} ${(await as(['auth', 'can-i', 'create', what, '-n', SYSTEM])).stdout.trim()}`).toBe(`${what} no`);
  });

  it('changes nothing by which pods are injected and routes are checked', async () => {
    for (const what of [
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'validatingadmissionpolicies.admissionregistration.k8s.io',
      'validatingadmissionpolicybindings.admissionregistration.k8s.io',
      'customresourcedefinitions.apiextensions.k8s.io',
      'clusterroles.rbac.authorization.k8s.io',
      'rolebindings.rbac.authorization.k8s.io',
      'namespaces',
    ])
      expect(`${what} ${await can('patch', what)}`).toBe(`${what} no`);
  });

  it('runs pods where Pod Security is restricted, and gets the proxy into them without asking', async () => {
    const { code, stderr } = await as(['create', '-f', '-'], aPod());
    expect({ code, stderr: stderr.includes('PodSecurity') }).toEqual({ code: 0, stderr: false });
    await kubectl(['wait', '--for=condition=Ready', 'pod/app', '-n', namespace.name, '--timeout=120s']);
    const { spec } = await getJson<PodObject>('get', 'pod', 'app', '-n', namespace.name);
    expect(spec.initContainers?.map(({ name }) => name)).toEqual([PROXY]);
  });

  it.each([
    ['by annotation', aPod({ annotations: { 'tollgate.dev/inject': 'false' } })],
    ['by label', aPod({ labels: { 'tollgate.dev/inject': 'false' } })],
    [
      'by saying that it was injected already',
      aPod({ labels: { 'tollgate.dev/injected': 'true' }, annotations: { 'tollgate.dev/injected': 'true' } }),
    ],
  ])('opts no pod out there %s', async (_how, pod) => {
    const { code, stdout, stderr } = await dryRun(pod);
    // Refused is as good; started without the proxy is what must not be.
    if (code !== 0) expect(stderr).toContain('tollgate');
    else expect((JSON.parse(stdout) as PodObject).spec.initContainers?.map(({ name }) => name)).toEqual([PROXY]);
  });

  it('passes no program of its own off as the proxy', async () => {
    const forged = { ...aContainer(PROXY), restartPolicy: 'Always' };
    const { code, stderr } = await dryRun(aPod({}, { initContainers: [forged] }));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('proxy') });
    const named = await dryRun(aPod({}, { containers: [aContainer('app'), aContainer(PROXY)] }));
    expect({ code: named.code, stderr: named.stderr }).toEqual({ code: 1, stderr: expect.stringContaining(PROXY) });
  });

  it("gives no container of its own the proxy's token", async () => {
    const sources = [{ serviceAccountToken: { audience: 'tollgate', path: 'token' } }];
    const { code, stderr } = await dryRun(aPod({}, { volumes: [{ name: 'mine', projected: { sources } }] }));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('audience tollgate') });
  });

  it('cannot lift what its namespace requires', async () => {
    const { code, stderr } = await as(['label', 'namespace', namespace.name, 'tollgate.dev/injection-']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('forbidden') });
    const { metadata } = await getJson<{ metadata: { labels: object } }>('get', 'namespace', namespace.name);
    expect(metadata.labels).toMatchObject({ 'tollgate.dev/injection': 'required' });
  });

  it.each([
    ['in clear', { type: 'OpenAI', baseUrl: 'http://api.openai.com/v1', ...KEY }, 'in clear'],
    ['in clear to a Service of its own', { type: 'OpenAI', baseUrl: 'http://mine.svc/v1', ...KEY }, 'in clear'],
    ['to a host of its own', { type: 'OpenAI', baseUrl: 'https://collect.example/v1', ...KEY }, 'a host that keys'],
    [
      "to a host that begins as a provider's does",
      { type: 'OpenAI', baseUrl: 'https://api.openai.com.collect.example/v1', ...KEY },
      'a host that keys',
    ],
    [
      "behind a provider's name as the user of a URL",
      { type: 'OpenAI', baseUrl: 'https://api.openai.com@collect.example/v1', ...KEY },
      'baseUrl',
    ],
  ])('routes no Secret %s', async (_where, provider, message) => {
    const { code, stderr } = await dryRun(aRoute(provider));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });

  it('routes a Secret to its provider, and a call without one wherever it likes', async () => {
    for (const provider of [
      { type: 'OpenAI', ...KEY },
      { type: 'OpenAI', baseUrl: 'https://api.openai.com/v1', ...KEY },
      { type: 'OpenAICompatible', baseUrl: 'http://models.example/v1' },
    ]) {
      const { code, stderr } = await dryRun(aRoute(provider));
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('denied') });
    }
  });

  it('leases nothing and learns nothing with a token that it makes itself, which is bound to no pod', async () => {
    const token = await tokenOf('tollgate', namespace);
    expect(token.split('.')).toHaveLength(3);
    for (const question of asProxy('forged', namespace.name)) {
      const { status } = await askServer(token, ...question);
      expect([question[1], [401, 403].includes(status)]).toEqual([question[1], true]);
    }
  });

  it('nor with one that is bound to a pod of its own that carries no proxy', async () => {
    const { code, stderr } = await as(['create', '-f', '-'], aPod(), other);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const token = await tokenOf('tollgate', other, ['--bound-object-kind', 'Pod', '--bound-object-name', 'app']);
    const [hello, ...further] = asProxy('forged', other.name);
    expect(await askServer(token, ...(hello ?? ['GET', '/']))).toMatchObject({
      status: 409,
      text: expect.stringContaining('unknown_pod'),
    });
    for (const question of further) {
      const { status, text } = await askServer(token, ...question);
      expect([question[1], status, text]).toEqual([question[1], 409, expect.stringContaining('unknown_instance')]);
    }
  });

  it("reads no other namespace's snapshot, nor leases in the name of its proxy", async () => {
    const theirs = await eventually(
      'the proxy of the injected pod has said hello',
      () => instanceOf(namespace.name, 'app'),
      () => true,
    );
    const token = await tokenOf('tollgate', other, ['--bound-object-kind', 'Pod', '--bound-object-name', 'app']);
    const statuses: number[] = [];
    for (const question of asProxy(theirs, namespace.name)) statuses.push((await askServer(token, ...question)).status);
    // The hello is one of a pod that nobody injected; the rest is for an instance of another one.
    expect(statuses).toEqual([409, 403, 403, 403]);
    const asCaller = encodeURIComponent(JSON.stringify([namespace.name, 'default']));
    for (const query of [theirs, `${theirs}&caller=${asCaller}`])
      expect(await askServer(token, 'GET', `/v1/snapshots?instance=${query}`)).toMatchObject({ status: 403 });
  });

  it('asks the server of nobody, as a gateway does', async () => {
    const token = await tokenOf('tollgate', other, ['--bound-object-kind', 'Pod', '--bound-object-name', 'app']);
    expect(await askServer(token, 'POST', '/v1/callers', { token })).toMatchObject({ status: 403 });
  });

  it('sees what its own namespace spends, and of no other one', async () => {
    const seen = async (where: StoryNamespace): Promise<string> => {
      const { status, text } = await askServer(await tokenOf('tollgate-management', where), 'GET', '/v1/budgets');
      expect(status).toBe(200);
      return text;
    };
    expect(await seen(namespace)).toContain('"name":"ours"');
    const others = await seen(other);
    expect(others).not.toContain('ours');
    expect(others).not.toContain(namespace.name);
  });

  it('says to nobody what holds', async () => {
    const token = await tokenOf('tollgate-management', namespace);
    const none = { budgets: [], routes: [], inferenceServices: [], namespaces: {} };
    for (const [path, body] of [
      ['/v1/resources', none],
      ['/v1/pods', { pods: [] }],
    ] as const)
      expect(await askServer(token, 'PUT', path, body)).toMatchObject({ status: 403 });
  });
});
