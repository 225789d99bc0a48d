/** What a team may do that owns its namespace, and what it may not: the money is the platform's. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { apply, getJson, kubectl, tryKubectl, type Said } from './testing/kubectl.ts';
import { makeNamespace, type StoryNamespace } from './testing/namespace.ts';
import { ensureRelease, SYSTEM } from './testing/release.ts';

const INSTALL_MS = 400_000;
const TENANT = 'a-tenant';

const aPod = (annotations: object): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', annotations },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'app',
          image: 'localhost/tollgate-server:dev',
          imagePullPolicy: 'IfNotPresent',
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  });

interface PodObject {
  readonly spec: { readonly initContainers?: readonly { readonly name: string }[] };
}

describe('who may edit a namespace, and no more', () => {
  let namespace: StoryNamespace;
  const as = (args: readonly string[], input?: string): Promise<Said> =>
    tryKubectl(['--as', TENANT, '-n', namespace.name, ...args], input);
  const can = async (...args: readonly string[]): Promise<string> =>
    (await as(['auth', 'can-i', ...args])).stdout.trim();

  beforeAll(async () => {
    await ensureRelease();
    namespace = await makeNamespace('tenant', {
      'pod-security.kubernetes.io/enforce': 'restricted',
      'tollgate.dev/injection': 'required',
    });
    await apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'tenant', namespace: namespace.name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: TENANT }],
    });
  }, INSTALL_MS);
  afterAll(() => namespace?.remove());

  it('sees budgets and writes routes, but writes no budget', async () => {
    expect(await can('list', 'tokenbudgets.tollgate.dev')).toBe('yes');
    expect(await can('create', 'modelroutes.tollgate.dev')).toBe('yes');
    for (const verb of ['create', 'update', 'patch', 'delete'])
      expect(`${verb} ${await can(verb, 'tokenbudgets.tollgate.dev')}`).toBe(`${verb} no`);
  });

  it("reads no Secret of Tollgate, and nothing else in Tollgate's namespace", async () => {
    for (const what of ['secrets', 'pods', 'configmaps', 'tokenbudgets.tollgate.dev'])
      expect(`${what} ${(await as(['auth', 'can-i', 'get', what, '-n', SYSTEM])).stdout.trim()}`).toBe(`${what} no`);
  });

  it('gets the proxy into its pods without asking, where the namespace requires it', async () => {
    const { code, stdout, stderr } = await as(['create', '--dry-run=server', '-o', 'json', '-f', '-'], aPod({}));
    expect({ code, stderr: stderr.includes('denied') }).toEqual({ code: 0, stderr: false });
    const { spec } = JSON.parse(stdout) as PodObject;
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(['tollgate-proxy']);
  });

  it('opts no pod out there', async () => {
    const optedOut = aPod({ 'tollgate.dev/inject': 'false' });
    const { stdout } = await as(['create', '--dry-run=server', '-o', 'json', '-f', '-'], optedOut);
    const { spec } = JSON.parse(stdout) as PodObject;
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(['tollgate-proxy']);
  });

  it('cannot lift what its namespace requires', async () => {
    const { code, stderr } = await as(['label', 'namespace', namespace.name, 'tollgate.dev/injection-']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('forbidden') });
    const { metadata } = await getJson<{ metadata: { labels: object } }>('get', 'namespace', namespace.name);
    expect(metadata.labels).toMatchObject({ 'tollgate.dev/injection': 'required' });
  });

  it('gets nothing for a token that it makes itself, which is bound to no pod', async () => {
    const token = (await as(['create', 'token', 'default', '--audience', 'tollgate'])).stdout.trim();
    expect(token.split('.')).toHaveLength(3);
    const script = `
      const answer = await fetch('http://tollgate-server.${SYSTEM}.svc:4180/v1/hello', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer ' + process.argv[1] },
        body: '{}',
      });
      console.log(answer.status, await answer.text());`;
    const servers = ['exec', '-n', SYSTEM, 'deployment/tollgate-server', '--'];
    const said = await kubectl([...servers, 'node', '--input-type=module', '--eval', script, token]);
    expect(said).toMatch(/^401 /);
  });
});
