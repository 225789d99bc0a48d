import { describe, expect, it } from '@jest/globals';
import { aBudgetObject, anObject, aRouteObject, aServiceObject } from '../controllers/testing/objects.ts';
import { makeManifestAdmission } from './admitted-manifest.ts';
import { desiredResources, type ClusterResources } from './desired-resources.ts';
import { refusedManifests } from './refused-manifests.ts';
import { ServerFault } from './server-fault.ts';

const cluster = (stated: Partial<ClusterResources> = {}): ClusterResources => ({
  budgets: [],
  routes: [],
  services: [],
  kserve: [],
  namespaces: [],
  ...stated,
});
const admission = () => makeManifestAdmission({ systemNamespace: 'tollgate-system' });

const LIMITS = [{ name: 'daily', cost: { max: '1' }, period: 'Day' }];

describe('what the server is to have in force', () => {
  it('is the same text in whatever order the caches are', () => {
    const budgets = [
      aBudgetObject({ name: 'b' }),
      aBudgetObject({ name: 'a' }),
      aBudgetObject({ name: 'z', namespace: 'a' }),
    ];
    const resources = desiredResources(cluster({ budgets }), admission());
    expect(resources.budgets.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
      'a/z',
      'team-a/a',
      'team-a/b',
    ]);
    const reversed = desiredResources(cluster({ budgets: [...budgets].reverse() }), admission());
    expect(JSON.stringify(reversed)).toBe(JSON.stringify(resources));
  });

  it('holds no status but an address, and nothing that a status write changes', () => {
    const status = { url: 'http://llama.team-a.svc:8000', replicas: 1, conditions: [] };
    const { inferenceServices, budgets } = desiredResources(
      cluster({ services: [aServiceObject({}, { status })], budgets: [aBudgetObject({ status: { asOf: 'x' } })] }),
      admission(),
    );
    expect(inferenceServices[0]?.status).toEqual({ url: 'http://llama.team-a.svc:8000' });
    expect(budgets[0]).not.toHaveProperty('status');
    expect(budgets[0]?.metadata).not.toHaveProperty('resourceVersion');
    expect(budgets[0]?.metadata.generation).toBe(1);
  });

  it('leaves out what is invalid, and takes the rest', () => {
    const budgets = [aBudgetObject({ name: 'bad', spec: { limits: [] } }), aBudgetObject({ name: 'good' })];
    const resources = desiredResources(cluster({ budgets }), admission());
    expect(resources.budgets.map(({ metadata }) => metadata.name)).toEqual(['good']);
    const verdict = admission().admit('TokenBudget', budgets[0] ?? anObject());
    expect(verdict).toMatchObject({
      accepted: false,
      reason: 'Invalid',
      message: expect.stringContaining('spec.limits'),
    });
  });

  it.each([
    ['tollgate-system', true],
    ['team-a', false],
  ])('lets a budget of namespace %s reach other namespaces: %s', (namespace, accepted) => {
    const budget = aBudgetObject({ namespace, spec: { namespaceSelector: {}, limits: LIMITS } });
    expect(admission().admit('TokenBudget', budget)).toMatchObject(
      accepted ? { accepted } : { accepted, reason: 'NotPermitted' },
    );
  });

  it('tells of namespaces only the labels that some budget asks for', () => {
    const budget = aBudgetObject({
      namespace: 'tollgate-system',
      spec: { namespaceSelector: { matchLabels: { tier: 'gold' } }, limits: LIMITS },
    });
    const namespaces = [
      { metadata: { name: 'b', labels: { tier: 'gold', other: 'x' } } },
      { metadata: { name: 'a', labels: { other: 'x' } } },
      { metadata: { name: 'c' } },
    ];
    expect(desiredResources(cluster({ budgets: [budget], namespaces }), admission()).namespaces).toEqual({
      a: { labels: {} },
      b: { labels: { tier: 'gold' } },
      c: { labels: {} },
    });
  });
});

describe('a manifest that the server refuses', () => {
  const budgets = [aBudgetObject({ name: 'a' }), aBudgetObject({ name: 'b', generation: 4 })];
  const fault = (faults: readonly { path: string; message: string }[]) =>
    new ServerFault(422, 'invalid_resources', 'nothing of it was taken', { faults });

  it('is named with all that is wrong, and left out until it is another', () => {
    const door = admission();
    const refused = refusedManifests(
      fault([
        { path: 'budgets[1].spec.limits[0].period', message: 'is new to me' },
        { path: 'budgets[1].spec', message: 'too' },
        { path: 'namespaces.x', message: 'elsewhere' },
      ]),
      desiredResources(cluster({ budgets }), door),
    );
    expect(refused).toEqual([
      {
        title: 'TokenBudget team-a/b',
        generation: 4,
        message: 'the server does not take it: spec.limits[0].period: is new to me; spec: too',
      },
    ]);
    for (const { title, ...refusal } of refused) door.refuse(title, refusal);
    const names = (objects: ClusterResources['budgets']) =>
      desiredResources(cluster({ budgets: objects }), door).budgets.map(({ metadata }) => metadata.name);
    expect(names(budgets)).toEqual(['a']);
    expect(door.admit('TokenBudget', budgets[1] ?? anObject())).toMatchObject({ reason: 'RefusedByServer' });
    expect(names([aBudgetObject({ name: 'b', generation: 5 })])).toEqual(['b']);
    door.refuse('TokenBudget team-a/b', null);
    expect(names(budgets)).toEqual(['a', 'b']);
  });

  it('is nothing where the server was away', () => {
    const resources = desiredResources(cluster({ budgets }), admission());
    expect(refusedManifests(new ServerFault(null, 'unreachable', 'x'), resources)).toEqual([]);
  });
});

describe('a route to a model in the cluster', () => {
  const ref = (name: string, stated: object = {}, group = 'tollgate.dev') => ({
    name: 'local',
    inferenceServiceRef: { group, name },
    ...stated,
  });
  const backendsOf = (resources: ReturnType<typeof desiredResources>) =>
    resources.routes[0]?.spec.rules[0]?.backends.map(({ name, weight, inferenceServiceRef, provider }) => ({
      name,
      weight,
      to: inferenceServiceRef?.name ?? provider?.baseUrl,
    }));
  const member = (name: string, weight: number, namespace = 'team-a') =>
    aServiceObject({ router: { route: { group: 'g', weight } } }, { name, namespace });

  it('stays as it is where the service stands alone', () => {
    const resources = desiredResources(
      cluster({ routes: [aRouteObject([ref('llama')])], services: [aServiceObject()] }),
      admission(),
    );
    expect(backendsOf(resources)).toEqual([{ name: 'local', weight: 1, to: 'llama' }]);
  });

  it('shares its calls among the group by weight, beside what else the rule has', () => {
    const resources = desiredResources(
      cluster({
        routes: [aRouteObject([ref('v1', { weight: 3 }), { name: 'openai', provider: { type: 'OpenAI' }, weight: 1 }])],
        services: [member('v1', 9), member('v2', 1), member('elsewhere', 5, 'team-b'), aServiceObject()],
      }),
      admission(),
    );
    expect(backendsOf(resources)).toEqual([
      { name: 'local', weight: 27, to: 'v1' },
      { name: 'local.v2', weight: 3, to: 'v2' },
      { name: 'openai', weight: 10, to: undefined },
    ]);
  });

  it('gives a member of weight 0 nothing', () => {
    const resources = desiredResources(
      cluster({ routes: [aRouteObject([ref('v1')])], services: [member('v1', 0), member('v2', 2)] }),
      admission(),
    );
    expect(backendsOf(resources)).toEqual([
      { name: 'local', weight: 0, to: 'v1' },
      { name: 'local.v2', weight: 1, to: 'v2' },
    ]);
  });

  it('goes to the address that a service of KServe gives of itself, and nowhere before it gives one', () => {
    const routes = [aRouteObject([ref('llama', {}, 'serving.kserve.io')])];
    const at = (url: string | null) => [{ namespace: 'team-a', name: 'llama', url }];
    expect(
      backendsOf(desiredResources(cluster({ routes, kserve: at('https://gw.example/team-a/llama/') }), admission())),
    ).toEqual([{ name: 'local', weight: 1, to: 'https://gw.example/team-a/llama/v1' }]);
    expect(backendsOf(desiredResources(cluster({ routes, kserve: at(null) }), admission()))).toEqual([
      { name: 'local', weight: 1, to: 'llama' },
    ]);
  });
});
