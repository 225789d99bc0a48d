import {
  checkSnapshot,
  type LLMInferenceService,
  type ModelRoute,
  type Snapshot,
  type Subject,
  type TokenBudget,
} from '@tollgate/api';
import { parseManifests } from '@tollgate/api/schema';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makePriceTable, type PriceRowJson } from '@tollgate/prices/table';
import { durationMs } from './duration.ts';
import { compileBudget } from './budget.ts';
import { compileSnapshot, type SnapshotInput } from './snapshot.ts';

const RATES = {
  input: '1',
  cachedInput: '1',
  cacheWrite5m: '1',
  cacheWrite1h: '1',
  audioInput: '1',
  output: '1',
  reasoning: '1',
  audioOutput: '1',
};

const aRow = (provider: string, model: string): PriceRowJson => ({
  provider,
  model,
  free: false,
  tiers: [{ aboveInputTokens: 0, rates: RATES }],
  units: {},
  source: 'test',
  date: '2026-11-20',
});

const PRICES = makePriceTable({
  version: 'p1',
  rows: [
    aRow('openai', 'gpt-4o'),
    aRow('groq', 'llama'),
    aRow('mistral', 'large'),
    aRow('anthropic', 'opus'),
    aRow('openai', 'a'),
  ],
  aliases: { 'openai/gpt-4o-latest': 'gpt-4o', 'mistral/latest': 'large' },
});

const SUBJECT: Subject = {
  namespace: 'team-a',
  workload: 'chat',
  serviceAccount: 'bot',
  labels: { tier: 'web', app: 'chat' },
  team: 'team-a',
};

/** Not a digest, but as unlike as the texts. */
const hash = (text: string): string => text;

const parsed = (yaml: string) => {
  const { resources, faults } = parseManifests(yaml, 'test.yaml');
  expect(faults).toEqual([]);
  return resources.map(({ resource }) => resource);
};

const isBudget = (resource: { kind: string }): resource is TokenBudget => resource.kind === 'TokenBudget';
const isRoute = (resource: { kind: string }): resource is ModelRoute => resource.kind === 'ModelRoute';
const isService = (resource: { kind: string }): resource is LLMInferenceService =>
  resource.kind === 'LLMInferenceService';

const compile = (yaml: string, more: Partial<SnapshotInput> = {}): Snapshot => {
  const resources = parsed(yaml);
  return compileSnapshot({
    organisation: 'org',
    subject: SUBJECT,
    budgets: resources.filter(isBudget),
    routes: resources.filter(isRoute),
    inferenceServices: resources.filter(isService),
    prices: PRICES,
    systemNamespace: 'tollgate-system',
    hash,
    ...more,
  });
};

const aBudget = (name: string, spec = '{}', namespace = 'team-a'): string => `
apiVersion: tollgate.dev/v1alpha1
kind: TokenBudget
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  limits: [{name: daily, cost: {max: "25"}, period: Day}]
  <<: ${spec}
---`;

const aRoute = (name: string, rule: string, more = ''): string => `
apiVersion: tollgate.dev/v1alpha1
kind: ModelRoute
metadata: {name: ${name}, namespace: team-a}
spec:
  rules: [{name: default, ${rule}}]
  ${more}
---`;

const bound = (yaml: string, more: Partial<SnapshotInput> = {}): readonly string[] =>
  compile(yaml, more).budgets.map(({ namespace, name, routes }) =>
    [`${namespace}/${name}`, ...(routes ?? [])].join(' '),
  );

describe('compileSnapshot', () => {
  it.each<[string, string, readonly string[]]>([
    ['a budget of its namespace', aBudget('a'), ['team-a/a']],
    ['not one of another', aBudget('a', '{}', 'team-b'), []],
    ['a selector that fits', aBudget('a', '{selector: {matchLabels: {app: chat}}}'), ['team-a/a']],
    ['not a selector that does not fit', aBudget('a', '{selector: {matchLabels: {app: mail}}}'), []],
    ['a target', aBudget('a', '{targetRefs: [{group: apps, kind: Deployment, name: chat}]}'), ['team-a/a']],
    ['not another target', aBudget('a', '{targetRefs: [{group: apps, kind: Deployment, name: mail}]}'), []],
    ['its service account', aBudget('a', '{targetRefs: [{group: "", kind: ServiceAccount, name: bot}]}'), ['team-a/a']],
    [
      'a budget of routes, for those only',
      aBudget(
        'a',
        '{targetRefs: [{group: tollgate.dev, kind: ModelRoute, name: z}, {group: tollgate.dev, kind: ModelRoute, name: b}]}',
      ),
      ['team-a/a b z'],
    ],
    [
      'one of routes and of the workload, for all calls',
      aBudget(
        'a',
        '{targetRefs: [{group: tollgate.dev, kind: ModelRoute, name: z}, {group: apps, kind: Deployment, name: chat}]}',
      ),
      ['team-a/a'],
    ],
    [
      "the platform's, by the name of the namespace",
      aBudget('a', '{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: team-a}}}', 'tollgate-system'),
      ['tollgate-system/a'],
    ],
    [
      "the platform's, by a label of the namespace",
      aBudget('a', '{namespaceSelector: {matchLabels: {stage: prod}}}', 'tollgate-system'),
      ['tollgate-system/a'],
    ],
    [
      "the platform's, for every namespace",
      aBudget('a', '{namespaceSelector: {}}', 'tollgate-system'),
      ['tollgate-system/a'],
    ],
    [
      "not the platform's for others",
      aBudget('a', '{namespaceSelector: {matchLabels: {stage: test}}}', 'tollgate-system'),
      [],
    ],
    ["not the platform's own", aBudget('a', '{}', 'tollgate-system'), []],
    [
      "not the platform's targets of the same name",
      aBudget(
        'a',
        '{namespaceSelector: {}, targetRefs: [{group: apps, kind: Deployment, name: chat}]}',
        'tollgate-system',
      ),
      [],
    ],
    ["not a tenant's that selects namespaces", aBudget('a', '{namespaceSelector: {}}', 'team-b'), []],
    [
      "a tenant's own, though it selects namespaces",
      aBudget('a', '{namespaceSelector: {matchLabels: {stage: test}}}'),
      ['team-a/a'],
    ],
  ])('binds the subject to %s', (_, yaml, expected) => {
    expect(bound(yaml, { namespaceLabels: { stage: 'prod' } })).toEqual(expected);
  });

  it('lets no label of a namespace stand for its name', () => {
    const yaml = aBudget(
      'a',
      '{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: team-b}}}',
      'tollgate-system',
    );
    expect(bound(yaml, { namespaceLabels: { 'kubernetes.io/metadata.name': 'team-b' } })).toEqual([]);
  });

  it('gives one text for the same manifests in any order, which the check accepts', () => {
    const manifests = [
      aBudget('a'),
      aBudget('b', '{enforcement: Soft}'),
      aBudget('c'),
      aRoute('r', 'backends: [{name: o, provider: {type: OpenAI}}]'),
      aRoute('q', 'backends: [{name: o, provider: {type: Anthropic}}]'),
    ];
    const first = compile(manifests.join(''));
    expect(checkSnapshot(JSON.parse(JSON.stringify(first)))).toEqual({ ok: true, snapshot: first });
    fc.assert(
      fc.property(fc.shuffledSubarray(manifests, { minLength: manifests.length }), (shuffled) => {
        const labels = { app: 'chat', tier: 'web' };
        expect(JSON.stringify(compile(shuffled.join(''), { subject: { ...SUBJECT, labels } }))).toBe(
          JSON.stringify(first),
        );
      }),
      { numRuns: 20 },
    );
  });

  it.each<[string, string, Partial<SnapshotInput>]>([
    ['a limit', aBudget('a').replace('25', '26'), {}],
    ['the enforcement', aBudget('a', '{enforcement: Audit}'), {}],
    ['the organisation', aBudget('a'), { organisation: 'other' }],
    ['a label', aBudget('a'), { subject: { ...SUBJECT, labels: {} } }],
    ['the pod', aBudget('a'), { subject: { ...SUBJECT, pod: 'p', workloadKind: 'Deployment' } }],
    ['the prices', aBudget('a'), { prices: makePriceTable({ version: 'p2', rows: [], aliases: {} }) }],
  ])('changes its version with %s', (_, yaml, more) => {
    expect(compile(yaml, more).version).not.toBe(compile(aBudget('a')).version);
  });

  it('keeps its version when manifests of others change', () => {
    expect(compile(aBudget('a') + aBudget('x', '{}', 'team-b')).version).toBe(compile(aBudget('a')).version);
  });

  it('carries the prices of the providers that are always there, and of those that routes name', () => {
    const models = (yaml: string): readonly string[] =>
      compile(yaml).prices.rows.map(({ provider, model }) => `${provider}/${model}`);
    expect(models('')).toEqual(['anthropic/opus', 'openai/a', 'openai/gpt-4o']);
    const yaml = aRoute(
      'r',
      'backends: [{name: g, provider: {type: OpenAICompatible, baseUrl: "https://api.mistral.ai/v1"}}]',
    );
    expect(models(yaml)).toEqual(['anthropic/opus', 'mistral/large', 'openai/a', 'openai/gpt-4o']);
    expect(compile(yaml).prices.aliases).toEqual({ 'mistral/latest': 'large', 'openai/gpt-4o-latest': 'gpt-4o' });
    expect(compile(yaml).routes[0]?.rules[0]?.backends[0]?.priceProvider).toBe('mistral');
  });

  it('takes only routes of the namespace whose selector fits', () => {
    const backends = 'backends: [{name: o, provider: {type: OpenAI}}]';
    const yaml = [
      aRoute('b', backends),
      aRoute('a', backends, 'selector: {matchLabels: {app: chat}}'),
      aRoute('c', backends, 'selector: {matchLabels: {app: mail}}'),
      aRoute('d', backends).replace('team-a', 'team-b'),
    ].join('');
    expect(compile(yaml).routes.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it("has the gateway's routes and prices for a caller of it, and the caller's own budgets", () => {
    const gateway: Subject = { namespace: 'platform', workload: 'gateway', labels: {}, team: 'platform' };
    const theirs = aRoute('own', 'backends: [{name: b, provider: {type: OpenAI}}]');
    const ours = aRoute('shared', 'backends: [{name: b, provider: {type: Anthropic}}]').replace('team-a', 'platform');
    const yaml = theirs + ours + aBudget('a') + aBudget('b', '{}', 'platform');
    const { routes, budgets, subject, version } = compile(yaml, { routesOf: gateway });
    expect(routes.map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(['platform/shared']);
    expect(budgets.map(({ name }) => name)).toEqual(['a']);
    expect(subject).toEqual(compile(yaml).subject);
    expect(version).not.toBe(compile(yaml).version);
  });

  it('puts backends in the order to try them, and leaves out those without weight', () => {
    const yaml = aRoute(
      'r',
      `models: [gpt-*], timeouts: {request: 10m, firstByte: 1m30s}, fallback: {when: [ServerError]}, backends: [
        {name: second, priority: 1, provider: {type: OpenAI}}, {name: none, weight: 0, provider: {type: OpenAI}},
        {name: first, model: gpt-4o, provider: {type: AzureOpenAI, baseUrl: "https://x.openai.azure.com", credentialsSecretRef: {name: azure, key: k}},
         price: {inputPerMillion: "2.5", outputPerMillion: "0.0000001"}}]`,
    );
    expect(compile(yaml).routes[0]?.rules).toEqual([
      {
        name: 'default',
        models: ['gpt-*'],
        backends: [
          {
            name: 'first',
            provider: 'AzureOpenAI',
            baseUrl: 'https://x.openai.azure.com',
            credential: { name: 'azure', key: 'k' },
            model: 'gpt-4o',
            weight: 1,
            priority: 0,
            price: {
              free: false,
              inputPerMillion: '2500000000',
              cachedInputPerMillion: null,
              cacheWritePerMillion: null,
              outputPerMillion: '100',
            },
            priceProvider: 'azure',
          },
          {
            name: 'second',
            provider: 'OpenAI',
            baseUrl: null,
            credential: null,
            model: null,
            weight: 1,
            priority: 1,
            price: null,
            priceProvider: 'openai',
          },
        ],
        fallback: { when: ['ServerError'], maxAttempts: 2 },
        timeouts: { requestMs: 600_000, firstByteMs: 90_000 },
      },
    ]);
  });

  it('reaches a Service by its name in the cluster', () => {
    const yaml = aRoute('r', 'backends: [{name: s, serviceRef: {name: vllm, port: 8000}, price: {free: true}}]');
    expect(compile(yaml).routes[0]?.rules[0]?.backends[0]).toMatchObject({
      provider: 'OpenAICompatible',
      baseUrl: 'http://vllm.team-a.svc:8000/v1',
      price: { free: true, inputPerMillion: null },
    });
  });

  it('reaches an inference service where its status says, at its price, and leaves it out until then', () => {
    const service = (status: string): string => `
apiVersion: tollgate.dev/v1alpha1
kind: LLMInferenceService
metadata: {name: llama, namespace: team-a}
spec: {model: {uri: "hf://a/b"}, pricing: {inputPerMillion: "0.15"}}
${status}
---`;
    const route = aRoute('r', 'backends: [{name: l, inferenceServiceRef: {name: llama}}]');
    const backends = (status: string) => compile(service(status) + route).routes[0]?.rules[0]?.backends;
    expect(backends('status: {url: "http://llama.team-a/"}')).toMatchObject([
      {
        baseUrl: 'http://llama.team-a/v1',
        price: { free: false, inputPerMillion: '150000000', outputPerMillion: null },
      },
    ]);
    expect(backends('status: {addresses: [{name: x}, {url: "http://10.0.0.1/v1"}]}')).toMatchObject([
      { baseUrl: 'http://10.0.0.1/v1' },
    ]);
    expect(backends('')).toEqual([]);
    expect(compile(route).routes[0]?.rules[0]?.backends).toEqual([]);
  });
});

describe('compileBudget', () => {
  it('writes amounts as integers of their unit', () => {
    const [budget] = parsed(`
apiVersion: tollgate.dev/v1alpha1
kind: TokenBudget
metadata: {name: a}
spec:
  overdraft: {amount: "0.5", maxDurationSeconds: 60}
  onUnpriced: {inputPerMillion: "10", outputPerMillion: "40"}
  onUnboundable: {ceiling: "2"}
  limits:
  - {name: cost, cost: {max: "9007199.254740991"}, period: Month}
  - {name: tokens, tokens: {max: 2000000, count: Output}, period: Hour, window: Sliding, models: [gpt-*]}
  - {name: calls, requests: {max: 100}, period: Total, partitionBy: User}
`).filter(isBudget);
    if (budget === undefined) throw new Error('no budget');
    expect(compileBudget(budget)).toMatchObject({
      namespace: 'default',
      overdraft: { amount: '500000000', maxDurationSeconds: 60 },
      onUnpriced: { action: 'Price', inputPerMillion: '10000000000', outputPerMillion: '40000000000' },
      onUnboundable: { action: 'Ceiling', ceiling: '2000000000' },
      limits: [
        {
          name: 'cost',
          unit: 'cost',
          count: 'Total',
          max: '9007199254740991',
          window: 'Calendar',
          models: [],
          partitionBy: 'Budget',
        },
        { name: 'tokens', unit: 'tokens', count: 'Output', max: '2000000', window: 'Sliding', models: ['gpt-*'] },
        { name: 'calls', unit: 'requests', count: 'Total', max: '100', period: 'Total', partitionBy: 'User' },
      ],
    });
    const hollow = {
      ...budget,
      spec: {
        ...budget.spec,
        limits: [{ name: 'x', period: 'Day', window: 'Calendar', partitionBy: 'Budget' } as const],
      },
    };
    expect(() => compileBudget(hollow)).toThrow('limit x has none');
  });
});

describe('durationMs', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['1m1s1ms', 61_001],
    ['2m', 120_000],
  ])('%s: %d', (text, expected) => {
    expect(durationMs(text)).toBe(expected);
  });
});
