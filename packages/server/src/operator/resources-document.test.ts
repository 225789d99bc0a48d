import { describe, expect, it } from '@jest/globals';
import { readResources } from './resources-document.ts';

const budget = (name: string, part: object = {}, spec: object = {}) => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'TokenBudget',
  metadata: { name, namespace: 'shop', ...part },
  spec: { limits: [{ name: 'daily', cost: { max: '1' }, period: 'Day' }], ...spec },
});
const service = (status: object) => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'LLMInferenceService',
  metadata: { name: 'llama', namespace: 'shop' },
  spec: { model: { uri: 'hf://meta/llama' } },
  status,
});
const route = {
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'ModelRoute',
  metadata: { name: 'models', namespace: 'shop' },
  spec: { rules: [{ name: 'all', backends: [{ name: 'openai', provider: { type: 'OpenAI' } }] }] },
};
const all = (part: object = {}) => ({ budgets: [], routes: [], inferenceServices: [], namespaces: {}, ...part });

const versionOf = (value: unknown): string => {
  const reading = readResources(value);
  if (!reading.ok) throw new Error(JSON.stringify(reading.faults));
  return reading.version;
};

describe('resources as the operator sends them', () => {
  it('are the same whatever the order, and whatever changes while nothing changes', () => {
    const one = all({
      budgets: [budget('a'), budget('b')],
      inferenceServices: [service({ url: 'http://llama.shop' })],
      namespaces: { shop: { labels: { a: '1', b: '2' } }, bank: {} },
    });
    const other = all({
      namespaces: { bank: { labels: {} }, shop: { labels: { b: '2', a: '1' } } },
      inferenceServices: [service({ replicas: 3, url: 'http://llama.shop', conditions: [] })],
      budgets: [
        budget('b', { resourceVersion: '17', managedFields: [{ manager: 'kubectl' }], annotations: { note: 'x' } }),
        { ...budget('a'), status: { attachedPods: 3 } },
      ],
    });
    expect(versionOf(other)).toBe(versionOf(one));
  });

  it.each([
    ['a limit', all({ budgets: [budget('a', {}, { enforcement: 'Soft' })] })],
    ['a label of a namespace', all({ budgets: [budget('a')], namespaces: { shop: { labels: { a: '2' } } } })],
    ['where a model is', all({ budgets: [budget('a')], inferenceServices: [service({ url: 'http://b' })] })],
    ['a route', all({ budgets: [budget('a')], routes: [route] })],
  ])('are others with another %s', (_what, value) => {
    expect(versionOf(value)).not.toBe(versionOf(all({ budgets: [budget('a')] })));
  });

  it('say the same when what was read is read again', () => {
    const reading = readResources(
      all({ budgets: [budget('a')], routes: [route], namespaces: { shop: { labels: { env: 'prod' } }, bank: {} } }),
    );
    if (!reading.ok) throw new Error('not read');
    expect(readResources(JSON.parse(reading.text))).toEqual(reading);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['nothing at all', null, '', /must be a map/],
    ['a list', [], '', /must be a map/],
    ['a text', 'resources', '', /must be a map/],
    ['no lists', {}, 'budgets', /is required/],
    ['no namespaces', { budgets: [], routes: [], inferenceServices: [] }, 'namespaces', /is required/],
    ['a list that is a map', all({ budgets: {} }), 'budgets', /must be a list/],
    ['a field that nobody knows', all({ secrets: [] }), 'secrets', /unknown field/],
    ['a name that changes objects', JSON.parse('{"__proto__":{},"budgets":[]}'), '__proto__', /unknown field/],
    ['no object', all({ budgets: [7] }), 'budgets[0]', /must be a map/],
    ['a kind of another list', all({ budgets: [route] }), 'budgets[0].kind', /must be TokenBudget, not ModelRoute/],
    ['a kind that nobody knows', all({ budgets: [{ ...route, kind: 'Pod' }] }), 'budgets[0].kind', /must be one of/],
    ['another group', all({ routes: [{ ...route, apiVersion: 'v1' }] }), 'routes[0].apiVersion', /must be/],
    ['the same twice', all({ budgets: [budget('a'), budget('a')] }), 'budgets[1].metadata.name', /twice/],
    ['no spec', all({ budgets: [{ ...budget('a'), spec: undefined }] }), 'budgets[0].spec', /is required/],
    [
      'a negative amount',
      all({ budgets: [budget('a'), budget('b', {}, { limits: [{ name: 'l', cost: { max: '-1' }, period: 'Day' }] })] }),
      'budgets[1].spec.limits[0].cost.max',
      /./,
    ],
    [
      'a misspelt field',
      all({ budgets: [budget('a', {}, { enforcment: 'Hard' })] }),
      'budgets[0].spec.enforcment',
      /./,
    ],
    ['a prototype in it', all({ budgets: [JSON.parse('{"__proto__":{}}')] }), 'budgets[0].__proto__', /not allowed/],
    ['a namespace of no cluster', all({ namespaces: { 'Shop!': {} } }), 'namespaces["Shop!"]', /name of a namespace/],
    ['a prototype among them', all({ namespaces: JSON.parse('{"__proto__":{}}') }), 'namespaces.__proto__', /name of/],
    [
      'labels that are a list',
      all({ namespaces: { shop: { labels: [] } } }),
      'namespaces.shop.labels',
      /must be a map/,
    ],
    ['more than labels', all({ namespaces: { shop: { annotations: {} } } }), 'namespaces.shop', /map of labels/],
    [
      'a label that is none',
      all({ namespaces: { shop: { labels: { 'a b': 'x' } } } }),
      'namespaces.shop.labels["a b"]',
      /key/,
    ],
    ['a label with NUL', all({ namespaces: { shop: { labels: { a: 'x\0' } } } }), 'namespaces.shop.labels.a', /value/],
    [
      'a label that is a number',
      all({ namespaces: { shop: { labels: { a: 1 } } } }),
      'namespaces.shop.labels.a',
      /value/,
    ],
    ['a deep nest', all({ budgets: [nested(80)] }), 'budgets[0]', /nested deeper/],
  ])('are refused with %s, and say where', (_what, value, path, message) => {
    const reading = readResources(value);
    expect(reading.ok).toBe(false);
    if (reading.ok) return;
    expect(reading.faults).toContainEqual({ path, message: expect.stringMatching(message) });
  });

  it('name every fault at once', () => {
    const reading = readResources(all({ budgets: [7, budget('a', { name: 'A!' })], routes: 'x', more: 1 }));
    if (reading.ok) throw new Error('read');
    expect(reading.faults.map(({ path }) => path)).toEqual([
      'more',
      'budgets[0]',
      'budgets[1].metadata.name',
      'routes',
    ]);
  });
});

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}
