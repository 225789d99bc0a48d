import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { parse } from 'yaml';
import { crdFiles } from './crd-files.ts';
import { toCustomResourceDefinition } from './custom-resource-definition.ts';

type Node = Readonly<Record<string, unknown>>;

const asNode = (value: unknown): Node => {
  if (typeof value !== 'object' || value === null) throw new TypeError(`not a map: ${String(value)}`);
  return Object.fromEntries(Object.entries(value));
};

const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((node, step) => asNode(node)[step], value);

const CRDS = new Map(crdFiles().map(({ path, text }) => [path, asNode(parse(text))] as const));

const crd = (plural: string): Node => asNode(CRDS.get(`crds/tollgate.dev_${plural}.yaml`));

const version = (plural: string): Node => asNode(at(crd(plural), 'spec', 'versions', 0));

/** Every schema below a node, with its path. */
const schemasBelow = (value: unknown, path: string): readonly (readonly [string, Node])[] => {
  const node = asNode(value);
  const members = Object.entries(asNode(node['properties'] ?? {}));
  return [
    [path, node],
    ...members.flatMap(([name, member]) => schemasBelow(member, `${path}.${name}`)),
    ...['items', 'additionalProperties'].flatMap((word) => (node[word] === undefined ? [] : schemasBelow(node[word], `${path}[]`))),
  ];
};

const schemas = [...CRDS.keys()].flatMap((path) => {
  const root = at(CRDS.get(path), 'spec', 'versions', 0, 'schema', 'openAPIV3Schema');
  return schemasBelow(root, String(at(CRDS.get(path), 'spec', 'names', 'kind')));
});

const columns = (plural: string): readonly string[] =>
  (version(plural)['additionalPrinterColumns'] as readonly unknown[]).map((column) => {
    const { name, type, jsonPath, priority } = asNode(column);
    return [name, type, jsonPath, ...(priority === undefined ? [] : ['wide'])].join(' ');
  });

const messagesOf = (kind: string): readonly string[] =>
  schemas
    .filter(([path]) => path.startsWith(kind))
    .flatMap(([path, node]) =>
      ((node['x-kubernetes-validations'] ?? []) as readonly unknown[]).map((rule) => `${path}: ${String(asNode(rule)['message'])}`),
    );

describe('the custom resource definitions', () => {
  it('are three files, each headed as generated, and the same each time', () => {
    expect([...CRDS.keys()]).toEqual([
      'crds/tollgate.dev_tokenbudgets.yaml',
      'crds/tollgate.dev_modelroutes.yaml',
      'crds/tollgate.dev_llminferenceservices.yaml',
    ]);
    for (const { text } of crdFiles()) expect(text).toMatch(/^# Generated .* Do not edit\.\napiVersion: apiextensions/);
    expect(crdFiles()).toEqual(crdFiles());
  });

  it.each([
    ['tokenbudgets', 'tokenbudget', 'TokenBudget', ['tb'], ['llm', 'budgets']],
    ['modelroutes', 'modelroute', 'ModelRoute', ['mroute'], ['llm']],
    ['llminferenceservices', 'llminferenceservice', 'LLMInferenceService', ['llmis'], ['llm']],
  ])('name %s as people type it', (plural, singular, kind, shortNames, categories) => {
    expect(at(crd(plural), 'metadata', 'name')).toBe(`${plural}.tollgate.dev`);
    expect(at(crd(plural), 'spec', 'names')).toEqual({ kind, listKind: `${kind}List`, plural, singular, shortNames, categories });
    expect(at(crd(plural), 'spec', 'scope')).toBe('Namespaced');
    expect(version(plural)).toMatchObject({ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } });
  });

  it('mark budgets as a policy that is inherited, selectable by enforcement', () => {
    expect(at(crd('tokenbudgets'), 'metadata', 'labels')).toEqual({ 'gateway.networking.k8s.io/policy': 'Inherited' });
    expect(version('tokenbudgets')['selectableFields']).toEqual([{ jsonPath: '.spec.enforcement' }]);
  });

  it('show the money first, and the rest when asked for it', () => {
    expect(columns('tokenbudgets')).toEqual([
      'Enforcement string .spec.enforcement',
      'Spent string .status.summary.spent',
      'Limit string .status.summary.limit',
      'Used string .status.summary.used',
      'Burn/h string .status.summary.burnPerHour',
      'Exhausts string .status.summary.exhausts',
      'Ready string .status.conditions[?(@.type=="Ready")].status',
      'Age date .metadata.creationTimestamp',
      'Tokens string .status.summary.tokens wide',
      'Resets string .status.summary.resetAt wide',
      'Top-Model string .status.summary.topModel wide',
      'Pods integer .status.attachedPods wide',
      'Reason string .status.conditions[?(@.type=="Ready")].reason wide',
    ]);
    expect(columns('modelroutes').map((column) => column.split(' ')[0])).toEqual(['Models', 'Backends', 'Ready', 'Reason', 'Age']);
    expect(columns('llminferenceservices').map((column) => column.split(' ')[0])).toEqual(['Model', 'URL', 'Ready', 'Reason', 'Age']);
  });

  it('carry the rules that no type can say', () => {
    expect(messagesOf('TokenBudget')).toEqual(
      expect.arrayContaining([
        'TokenBudget.spec: selector and targetRefs are mutually exclusive',
        'TokenBudget.spec.timeZone: must be an IANA time zone, such as Europe/Berlin or Etc/UTC',
        'TokenBudget.spec.limits[]: exactly one of tokens, cost or requests must be set',
        'TokenBudget.spec.limits[]: warnAtPercent values must be unique',
        'TokenBudget.spec.limits[]: period Total never resets, so its window cannot be Sliding',
        'TokenBudget.spec.limits[].name: must be lower-case letters, digits and "-", such as daily',
        'TokenBudget.spec.limits[].cost.max: must be US dollars as plain decimal digits with at most nine decimals, such as "25" or "0.05"',
        'TokenBudget.spec.limits[].cost.max: must be at most 9007199.254740991',
        'TokenBudget.spec.limits[].cost.max: must be more than 0',
      ]),
    );
    expect(messagesOf('ModelRoute')).toEqual(
      expect.arrayContaining([
        'ModelRoute.spec.rules[]: at least one backend needs a weight above 0',
        'ModelRoute.spec.rules[].backends[]: exactly one of provider, serviceRef or inferenceServiceRef must be set',
        'ModelRoute.spec.rules[].backends[].provider: baseUrl is required for type OpenAICompatible',
      ]),
    );
  });

  it('know what tells the entries of a list apart', () => {
    const keys = Object.fromEntries(
      schemas.flatMap(([path, node]) => {
        const found = node['x-kubernetes-list-map-keys'];
        return Array.isArray(found) ? [[path, found.join()]] : [];
      }),
    );
    expect(keys).toMatchObject({
      'TokenBudget.spec.limits': 'name',
      'TokenBudget.spec.targetRefs': 'group,kind,name',
      'TokenBudget.status.limits': 'name',
      'TokenBudget.status.conditions': 'type',
      'ModelRoute.spec.rules': 'name',
      'ModelRoute.spec.rules[].backends': 'name',
      'ModelRoute.status.backends': 'rule,name',
    });
  });

  it.each<[string, string, Node]>([
    ['TokenBudget', '.spec.enforcement', { default: 'Hard', enum: ['Hard', 'Soft', 'Audit'] }],
    ['TokenBudget', '.spec.waitSeconds', { default: 5, minimum: 0, maximum: 60, format: 'int32' }],
    ['TokenBudget', '.spec.limits', { minItems: 1, maxItems: 16 }],
    ['TokenBudget', '.spec.limits[].tokens.max', { type: 'integer', format: 'int64', minimum: 1, maximum: 9007199254740991 }],
    ['TokenBudget', '.spec.limits[].cost.max', { type: 'string', maxLength: 17 }],
    ['TokenBudget', '.spec.limits[].name', { maxLength: 63 }],
    ['TokenBudget', '.spec.onUnpriced', { default: { action: 'Price' } }],
    ['TokenBudget', '.spec.selector', { 'x-kubernetes-map-type': 'atomic' }],
    ['ModelRoute', '.spec.rules[].backends[].weight', { default: 1, minimum: 0, maximum: 1_000_000 }],
    ['ModelRoute', '.spec.rules[].fallback.maxAttempts', { default: 2, minimum: 1, maximum: 5 }],
    ['LLMInferenceService', '.spec.template', { 'x-kubernetes-preserve-unknown-fields': true }],
    ['LLMInferenceService', '.spec.replicas', { format: 'int32', minimum: 0 }],
  ])('%s%s is %j', (kind, path, expected) => {
    expect(Object.fromEntries(schemas)[`${kind}${path}`]).toMatchObject(expected);
  });

  it('are structural throughout: typed, described, without references, unions or closed objects', () => {
    for (const [path, node] of schemas) {
      expect([path, typeof node['type']]).toEqual([path, 'string']);
      for (const word of ['$ref', 'anyOf', 'oneOf', 'allOf', 'not', 'nullable', 'definitions', 'k8s']) {
        expect([path, word, node[word]]).toEqual([path, word, undefined]);
      }
      if (node['properties'] !== undefined) expect([path, node['additionalProperties']]).toEqual([path, undefined]);
      if (node['additionalProperties'] !== undefined) expect([path, typeof node['additionalProperties']]).toEqual([path, 'object']);
      // The API server itself describes the metadata, and refuses a second description.
      if (!path.endsWith('[]')) expect([path, typeof node['description']]).toEqual([path, path.endsWith('.metadata') ? 'undefined' : 'string']);
    }
  });

  it('bound every list and every text that a rule reads, so that the API server can reckon its cost', () => {
    for (const [path, node] of schemas) {
      if (node['type'] === 'array') expect([path, typeof node['maxItems']]).toEqual([path, 'number']);
      const isBounded = node['maxLength'] !== undefined || node['enum'] !== undefined || node['format'] === 'date-time';
      const isFree = /^\w+\.(apiVersion|kind)$/.test(path) || /(annotations|labels)\[\]$/.test(path);
      if (node['type'] === 'string' && !isFree) expect([path, isBounded]).toEqual([path, true]);
    }
  });

  it('come from schemas of kinds only', () => {
    expect(() => toCustomResourceDefinition(z.object({}))).toThrow('not the schema of a kind');
  });
});
