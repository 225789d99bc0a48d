import { describe, expect, it } from '@jest/globals';
import { parseManifest } from './manifest.ts';

type Fields = Record<string, unknown>;

const aBudget = (spec: Fields, metadata: Fields = {}): Fields => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'TokenBudget',
  metadata: { name: 'chat', namespace: 'team-a', ...metadata },
  spec: { limits: [{ name: 'daily', cost: { max: '25' }, period: 'Day' }], ...spec },
});

const aLimit = (limit: Fields): Fields => aBudget({ limits: [{ name: 'daily', period: 'Day', ...limit }] });

const aRoute = (rule: Fields, spec: Fields = {}): Fields => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'ModelRoute',
  metadata: { name: 'cheap' },
  spec: {
    rules: [{ name: 'default', backends: [{ name: 'openai', provider: { type: 'OpenAI' } }], ...rule }],
    ...spec,
  },
});

const aBackend = (backend: Fields): Fields => aRoute({ backends: [{ name: 'one', ...backend }] });

const aService = (spec: Fields): Fields => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'LLMInferenceService',
  metadata: { name: 'llama' },
  spec: { model: { uri: 'hf://meta/llama' }, ...spec },
});

/** `path: message` of every fault; empty for a sound manifest. */
const faultsOf = (value: unknown): readonly string[] => {
  const result = parseManifest(value);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path}: ${message}`);
};

const NO_URL =
  'must be an https:// or http:// address without user, password, query or fragment, such as https://api.openai.com/v1; ' +
  'a key belongs in a Secret that credentialsSecretRef names';
const ZONE = 'spec.timeZone: must be an IANA time zone, such as Europe/Berlin or Etc/UTC';
const MOST = 'must be at most 9007199.254740991';
const max = (message: string): string => `spec.limits[0].cost.max: ${message}`;

describe('parseManifest', () => {
  it('fills in what is not said', () => {
    const result = parseManifest({ ...aBudget({}), metadata: { name: 'chat' } });
    expect(result).toEqual({
      ok: true,
      resource: {
        apiVersion: 'tollgate.dev/v1alpha1',
        kind: 'TokenBudget',
        metadata: { name: 'chat', namespace: 'default' },
        spec: {
          enforcement: 'Hard',
          timeZone: 'Etc/UTC',
          limits: [{ name: 'daily', cost: { max: '25' }, period: 'Day', window: 'Calendar', partitionBy: 'Budget' }],
          preset: 'Standard',
          waitSeconds: 5,
          onInsufficient: 'Refuse',
          onUnpriced: { action: 'Price' },
          onUnboundable: { action: 'Ceiling' },
          onDisconnect: 'Drain',
          unresolvedPolicy: 'Charge',
        },
      },
    });
  });

  it.each<[string, Fields]>([
    [
      'every field of a budget',
      aBudget({
        enforcement: 'Soft',
        timeZone: 'Asia/Kolkata',
        selector: {
          matchLabels: { app: 'chat' },
          matchExpressions: [{ key: 'tier', operator: 'In', values: ['web'] }],
        },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'team-b' } },
        limits: [
          {
            name: 'cost',
            cost: { max: '9007199.254740991' },
            period: 'Month',
            warnAtPercent: [80, 95],
            models: ['gpt-*'],
          },
          { name: 'tokens', tokens: { max: 9007199254740991, count: 'Output' }, period: 'Hour', window: 'Sliding' },
          { name: 'calls', requests: { max: 1 }, period: 'Total', partitionBy: 'User' },
          { name: 'least', cost: { max: '0.000000001' }, period: 'Day' },
        ],
        overdraft: { amount: '0', maxDurationSeconds: 60 },
        onUnpriced: { action: 'Price', inputPerMillion: '10', outputPerMillion: '40.5' },
        onUnboundable: { ceiling: '2' },
      }),
    ],
    [
      'targets',
      aBudget({
        targetRefs: [
          { group: 'apps', kind: 'Deployment', name: 'a' },
          { group: '', kind: 'ServiceAccount', name: 'a' },
        ],
      }),
    ],
    [
      'what the API server adds',
      aBudget({}, { uid: 'x', generation: 3, creationTimestamp: null, managedFields: [{ a: 1 }] }),
    ],
    [
      'a route',
      aRoute({
        models: ['gpt-4o*'],
        fallback: { when: ['ServerError'] },
        timeouts: { request: '1h30m', firstByte: '500ms' },
      }),
    ],
    [
      'a free backend',
      aBackend({ provider: { type: 'OpenAICompatible', baseUrl: 'http://ollama:11434/v1' }, price: { free: true } }),
    ],
    [
      'a priced backend',
      aBackend({
        serviceRef: { name: 'vllm', port: 8000 },
        price: { inputPerMillion: '0.15', cacheWritePerMillion: '1' },
      }),
    ],
    [
      'an inference service',
      aService({
        replicas: 2,
        template: { containers: [{ name: 'main', any: { thing: 1 } }] },
        pricing: { inputPerMillion: '1' },
      }),
    ],
  ])('takes %s', (_, manifest) => {
    expect(faultsOf(manifest)).toEqual([]);
  });

  it.each<[string, Fields, readonly string[]]>([
    ['a cost of 0', aLimit({ cost: { max: '0.00' } }), [max('must be more than 0')]],
    ['a cost of -1', aLimit({ cost: { max: '-1' } }), [max('must not be negative')]],
    ['a cost of 1e9', aLimit({ cost: { max: '1000000000' } }), [max(MOST)]],
    [
      'a cost written 1e9',
      aLimit({ cost: { max: '1e9' } }),
      [max('must be US dollars as plain decimal digits, such as "25" or "0.05"')],
    ],
    ['a cost one nano too high', aLimit({ cost: { max: '9007199.254740992' } }), [max(MOST)]],
    ['a cost finer than a nano', aLimit({ cost: { max: '0.0000000001' } }), [max('must have at most nine decimals')]],
    [
      'a cost as a number',
      aLimit({ cost: { max: 25 } }),
      [max('must be US dollars as a decimal string in quotes, such as "25" or "0.05"')],
    ],
    ['a cost that is not there', aLimit({ cost: {} }), [max('is required')]],
    ['0 calls', aLimit({ requests: { max: 0 } }), ['spec.limits[0].requests.max: must be at least 1']],
    ['0.1 of a call', aLimit({ requests: { max: 1.1 } }), ['spec.limits[0].requests.max: must be a whole number']],
    ['-1 tokens', aLimit({ tokens: { max: -1 } }), ['spec.limits[0].tokens.max: must be at least 1']],
    [
      '2^53 tokens',
      aLimit({ tokens: { max: 2 ** 53 } }),
      ['spec.limits[0].tokens.max: must be at most 9007199254740991'],
    ],
    [
      'tokens as text',
      aLimit({ tokens: { max: '5' } }),
      ['spec.limits[0].tokens.max: must be a whole number, not "5"'],
    ],
    [
      'more tokens than a number holds',
      aLimit({ tokens: { max: Infinity } }),
      ['spec.limits[0].tokens.max: must be a whole number, not Infinity'],
    ],
    ['no unit', aLimit({}), ['spec.limits[0]: exactly one of tokens, cost or requests must be set']],
    [
      'two units',
      aLimit({ cost: { max: '1' }, requests: { max: 1 } }),
      ['spec.limits[0]: exactly one of tokens, cost or requests must be set'],
    ],
    [
      'a sliding total',
      aLimit({ cost: { max: '1' }, period: 'Total', window: 'Sliding' }),
      ['spec.limits[0]: period Total never resets, so its window cannot be Sliding'],
    ],
    [
      'one warning twice',
      aLimit({ cost: { max: '1' }, warnAtPercent: [80, 80] }),
      ['spec.limits[0]: warnAtPercent values must be unique'],
    ],
    [
      'one model twice',
      aLimit({ cost: { max: '1' }, models: ['a', 'a'] }),
      ['spec.limits[0].models[1]: "a" is there already: each entry needs its own value'],
    ],
    ['zone Mars', aBudget({ timeZone: 'Mars' }), [ZONE]],
    ['zone Local', aBudget({ timeZone: 'Local' }), [ZONE]],
    ['a zone in lower case', aBudget({ timeZone: 'Europe/berlin' }), [ZONE]],
    ['an offset for a zone', aBudget({ timeZone: '+01:00' }), [ZONE]],
    [
      'selector and targetRefs',
      aBudget({ selector: {}, targetRefs: [{ group: 'apps', kind: 'Deployment', name: 'a' }] }),
      ['spec: selector and targetRefs are mutually exclusive'],
    ],
    [
      'a target of a wrong group',
      aBudget({ targetRefs: [{ group: 'apps', kind: 'Job', name: 'a' }] }),
      [
        'spec.targetRefs[0]: group must be the one of the kind: apps, batch, tollgate.dev, or empty for a ServiceAccount',
      ],
    ],
    [
      'a target twice',
      aBudget({
        targetRefs: [
          { group: 'batch', kind: 'Job', name: 'a' },
          { group: 'batch', kind: 'Job', name: 'a' },
        ],
      }),
      ['spec.targetRefs[1]: "batch/Job/a" is there already: each entry needs its own group, kind, name'],
    ],
    [
      'an expression without values',
      aBudget({ selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
      ['spec.selector.matchExpressions[0]: In and NotIn need values, Exists and DoesNotExist take none'],
    ],
    [
      '17 labels',
      aBudget({ selector: { matchLabels: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`l${n}`, ''])) } }),
      ['spec.selector.matchLabels: must have at most 16 labels'],
    ],
    [
      'a label that no pod can bear',
      aBudget({ selector: { matchLabels: { 'a b': 'c' } } }),
      ['spec.selector.matchLabels["a b"]: must be the name of a label, such as app or example.com/tier'],
    ],
    [
      'a value that no label can have',
      aBudget({ selector: { matchLabels: { app: 'web server' } } }),
      ['spec.selector.matchLabels.app: must be the value of a label: letters, digits, "-", "_" and "."'],
    ],
    ['no limits', aBudget({ limits: [] }), ['spec.limits: must have at least 1 entry']],
    ['limits that are no list', aBudget({ limits: 'all' }), ['spec.limits: must be a list, not "all"']],
    ['null for a list', aBudget({ limits: null }), ['spec.limits: must be a list, not null']],
    [
      'an unknown enforcement',
      aBudget({ enforcement: 'hard' }),
      ['spec.enforcement: must be one of Hard, Soft, Audit, not "hard"'],
    ],
    ['a wait of two minutes', aBudget({ waitSeconds: 120 }), ['spec.waitSeconds: must be at most 60']],
    [
      'a name with capitals',
      aBudget({}, { name: 'Chat' }),
      ['metadata.name: must be lower-case letters, digits, "-" and ".", such as team-a'],
    ],
    [
      'a namespace too long',
      aBudget({}, { namespace: 'a'.repeat(64) }),
      ['metadata.namespace: must have at most 63 characters'],
    ],
    [
      'a route to nowhere',
      aBackend({}),
      ['spec.rules[0].backends[0]: exactly one of provider, serviceRef or inferenceServiceRef must be set'],
    ],
    [
      'a compatible host without an address',
      aBackend({ provider: { type: 'OpenAICompatible' } }),
      ['spec.rules[0].backends[0].provider: baseUrl is required for type OpenAICompatible'],
    ],
    [
      'a backend that is free at a price',
      aBackend({ provider: { type: 'OpenAI' }, price: { free: true, inputPerMillion: '1' } }),
      ['spec.rules[0].backends[0].price: free: true leaves no price to state'],
    ],
    [
      'backends without weight',
      aBackend({ provider: { type: 'OpenAI' }, weight: 0 }),
      ['spec.rules[0]: at least one backend needs a weight above 0'],
    ],
    [
      'an address of another scheme',
      aBackend({ provider: { type: 'OpenAI', baseUrl: 'file:///etc/passwd' } }),
      [`spec.rules[0].backends[0].provider.baseUrl: ${NO_URL}`],
    ],
    ...[
      'https://u:p@api.openai.com/v1',
      'https://api.openai.com/v1?key=1',
      'https://h/v1#f',
      'https:///v1',
      'https://h h',
    ].map((baseUrl): [string, Fields, readonly string[]] => [
      `the address ${baseUrl}`,
      aBackend({ provider: { type: 'OpenAI', baseUrl } }),
      [`spec.rules[0].backends[0].provider.baseUrl: ${NO_URL}`],
    ]),
    [
      'the address of a metadata service',
      aBackend({ provider: { type: 'OpenAI', baseUrl: 'http://169.254.169.254/latest' } }),
      [
        'spec.rules[0].backends[0].provider.baseUrl: link-local addresses, such as those of metadata services, are never called',
      ],
    ],
    [
      'a Secret of another namespace',
      aBackend({ provider: { type: 'OpenAI', credentialsSecretRef: { name: 'a', key: 'b', namespace: 'c' } } }),
      ['spec.rules[0].backends[0].provider.credentialsSecretRef.namespace: unknown field'],
    ],
    [
      'a timeout of 0',
      aRoute({ timeouts: { request: '0s' } }),
      ['spec.rules[0].timeouts.request: must be more than 0'],
    ],
    [
      'a timeout without a unit',
      aRoute({ timeouts: { request: '30' } }),
      ['spec.rules[0].timeouts.request: must be a duration, such as 30s, 10m or 1h30m'],
    ],
    ['another currency', aService({ pricing: { currency: 'EUR' } }), ['spec.pricing.currency: must be USD, not "EUR"']],
    [
      'weights from nowhere',
      aService({ model: { uri: 'ftp://x' } }),
      ['spec.model.uri: must be an address such as hf://organisation/model, s3://, pvc://, oci://, gs:// or https://'],
    ],
  ])('row 46: refuses %s', (_, manifest, expected) => {
    expect(faultsOf(manifest)).toEqual(expected);
  });

  it('takes every zone that this machine knows, and the old names too', () => {
    const zones = [
      ...Intl.supportedValuesOf('timeZone'),
      'UTC',
      'GMT',
      'Etc/UTC',
      'Etc/GMT+5',
      'Asia/Calcutta',
      'US/Pacific',
      'EST5EDT',
    ];
    for (const timeZone of zones) expect([timeZone, faultsOf(aBudget({ timeZone }))]).toEqual([timeZone, []]);
  });

  it('names every fault at once, also those of fields that others depend on', () => {
    const manifest = aBudget(
      {
        enforcement: 'Maybe',
        colour: 'red',
        selector: {},
        targetRefs: [],
        limits: [
          { name: 'a', requests: { max: 0.5 }, cost: { max: '1' }, period: 'Day' },
          { name: 'a', tokens: { max: 1, per: 2 }, period: 'Year' },
        ],
      },
      { name: '' },
    );
    expect(faultsOf(manifest).map((fault) => fault.split(':')[0])).toEqual(
      expect.arrayContaining([
        'metadata.name',
        'spec',
        'spec.colour',
        'spec.enforcement',
        'spec.targetRefs',
        'spec.limits[0]',
        'spec.limits[0].requests.max',
        'spec.limits[1].name',
        'spec.limits[1].period',
        'spec.limits[1].tokens.per',
      ]),
    );
  });

  it.each<[unknown, string, readonly string[]]>([
    [null, 'manifest', [': must be a map with apiVersion, kind, metadata and spec']],
    ['text', 'manifest', [': must be a map with apiVersion, kind, metadata and spec']],
    [[], 'manifest', [': must be a map with apiVersion, kind, metadata and spec']],
    [
      {},
      'manifest',
      [
        'apiVersion: must be tollgate.dev/v1alpha1',
        'kind: must be one of TokenBudget, ModelRoute, LLMInferenceService',
      ],
    ],
    [
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } },
      'Pod default/x',
      [
        'apiVersion: must be tollgate.dev/v1alpha1, not "v1"',
        'kind: must be one of TokenBudget, ModelRoute, LLMInferenceService, not "Pod"',
      ],
    ],
    [
      { apiVersion: 'tollgate.dev/v2', kind: 'TokenBudget', metadata: 3 },
      'TokenBudget',
      ['apiVersion: must be tollgate.dev/v1alpha1, not "tollgate.dev/v2"'],
    ],
    [
      { apiVersion: 'tollgate.dev/v1alpha1', kind: 'constructor' },
      'constructor',
      ['kind: must be one of TokenBudget, ModelRoute, LLMInferenceService, not "constructor"'],
    ],
  ])('says what %j is, and which kinds it knows', (value, title, expected) => {
    const result = parseManifest(value);
    expect(result.ok ? 'accepted' : result.title).toBe(title);
    expect(faultsOf(value)).toEqual(expected);
  });

  it('refuses names that would change a prototype, at any depth, and changes none', () => {
    const manifest = JSON.parse(
      JSON.stringify(aBudget({ selector: { matchLabels: {} } })).replace(
        '"matchLabels":{}',
        '"matchLabels":{"__proto__":{"polluted":1}}',
      ),
    ) as unknown;
    expect(faultsOf(manifest)).toEqual(['spec.selector.matchLabels.__proto__: this name is not allowed']);
    expect(faultsOf(aService({ template: { constructor: { prototype: 1 } } }))).toEqual([
      'spec.template.constructor: this name is not allowed',
    ]);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  it('refuses depth that would exhaust a stack', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100; level += 1) deep = { deep };
    expect(faultsOf(aService({ template: deep }))).toEqual([': must not be nested deeper than 64 levels']);
  });

  it('keeps control characters out of titles', () => {
    const result = parseManifest({ kind: 'Evil\n\u001b[31m', metadata: { name: 'x\ny' } });
    expect(result.ok ? '' : result.title).toBe('Evil\\n\\u001b[31m default/x\\ny');
  });

  it.each([
    ['a name', (text: string) => aBudget({}, { name: text })],
    ['a zone', (text: string) => aBudget({ timeZone: text })],
    ['an amount', (text: string) => aLimit({ cost: { max: text } })],
    ['a duration', (text: string) => aRoute({ timeouts: { request: text } })],
    ['an address', (text: string) => aBackend({ provider: { type: 'OpenAI', baseUrl: text } })],
  ])('answers at once for texts made to be slow as %s', (_, manifest) => {
    const slow = [
      'a-'.repeat(50_000),
      'a.'.repeat(50_000),
      '1'.repeat(100_000),
      '1.1'.repeat(30_000),
      'A/'.repeat(50_000),
      '5ms'.repeat(30_000),
      '/'.repeat(100_000),
    ];
    for (const text of slow) expect(faultsOf(manifest(`${text}!`)).length).toBeGreaterThan(0);
  });
});
