/**
 * JSON Schema as zod writes it → a structural schema as the API server takes it: every node has a type, nothing is
 * referenced, unions are spelled out, unknown fields are pruned rather than forbidden, integers have a format. What
 * cannot be put so is a fault of the schema in `packages/api`, thrown with its path.
 */
import type { KubernetesMeta } from '@tollgate/api/schema';

export interface StructuralSchema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

type Json = Readonly<Record<string, unknown>>;

export const toStructural = (schema: unknown, path: string): StructuralSchema => {
  const node = asMap(schema, path);
  for (const word of UNSTRUCTURAL) {
    if (word in node) throw new TypeError(`${path}: ${word} has no place in a structural schema; say it with members and a rule`);
  }
  const k8s: KubernetesMeta = asMap(node['k8s'] ?? {}, path);
  const common = {
    ...pick(node, ['description', 'default']),
    ...validations(node, k8s),
  };
  switch (node['type']) {
    case 'object':
      return { type: 'object', ...common, ...objectPart(node, k8s, path) };
    case 'array':
      return { type: 'array', ...common, ...arrayPart(node, k8s, path) };
    case 'string':
      return { type: 'string', ...common, ...stringPart(node, k8s, path) };
    case 'integer':
    case 'number':
      return { type: 'integer', ...common, ...integerPart(node, k8s, path) };
    case 'boolean':
      return { type: 'boolean', ...common };
    default:
      throw new TypeError(`${path}: no type that a structural schema knows: ${JSON.stringify(node['type'])}`);
  }
};

const UNSTRUCTURAL = ['$ref', 'anyOf', 'oneOf', 'allOf', 'not', 'nullable', 'prefixItems', 'const'] as const;

const objectPart = (node: Json, k8s: KubernetesMeta, path: string): Partial<StructuralSchema> => {
  const mapType = k8s.mapType === undefined ? {} : { 'x-kubernetes-map-type': k8s.mapType };
  if (k8s.preserveUnknownFields === true) return { 'x-kubernetes-preserve-unknown-fields': true };
  const values = node['additionalProperties'];
  if (node['properties'] === undefined && typeof values === 'object') {
    const limit = k8s.maxProperties === undefined ? {} : { maxProperties: k8s.maxProperties };
    return { ...mapType, ...limit, additionalProperties: toStructural(values, `${path}{}`) };
  }
  // `additionalProperties: false` beside properties is refused: the API server prunes what it does not know anyway.
  const members = Object.entries(asMap(node['properties'], path)).map(([name, member]) => {
    const schema = toStructural(member, `${path}.${name}`);
    if (schema.description === undefined) throw new TypeError(`${path}.${name}: no description for kubectl explain`);
    return [name, schema] as const;
  });
  return { ...mapType, ...pick(node, ['required']), properties: Object.fromEntries(members) };
};

const arrayPart = (node: Json, k8s: KubernetesMeta, path: string): Partial<StructuralSchema> => {
  // Without it the API server reckons the cost of a rule below with the longest list that a request can hold.
  if (node['maxItems'] === undefined) throw new TypeError(`${path}: a list needs a maximum`);
  if (k8s.listType === undefined) throw new TypeError(`${path}: a list needs a list type`);
  return {
    ...pick(node, ['minItems', 'maxItems']),
    'x-kubernetes-list-type': k8s.listType,
    ...(k8s.listMapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': k8s.listMapKeys }),
    items: toStructural(node['items'], `${path}[]`),
  };
};

const stringPart = (node: Json, k8s: KubernetesMeta, path: string): Partial<StructuralSchema> => {
  // zod's own pattern for times is long and says no more than the format does.
  if (node['format'] === 'date-time') return { format: 'date-time' };
  const pattern = node['pattern'];
  if (typeof pattern === 'string' && LOOK_AROUND.test(pattern)) throw new TypeError(`${path}: the API server's RE2 has no look-around`);
  return pick(node, ['enum', 'minLength', 'maxLength', ...(k8s.patternMessage === undefined ? ['pattern'] : [])]);
};

/** The API server asks every rule, so one of a text whose form is wrong already would only add a fault of its own. */
const validations = ({ pattern }: Json, { cel = [], patternMessage }: KubernetesMeta): Partial<StructuralSchema> => {
  if (patternMessage === undefined || typeof pattern !== 'string')
    return cel.length === 0 ? {} : { 'x-kubernetes-validations': cel };
  const matches = `self.matches(r'${pattern}')`;
  return {
    'x-kubernetes-validations': [
      { rule: matches, message: patternMessage },
      ...cel.map(({ rule, message }) => ({ rule: `!${matches} || (${rule})`, message })),
    ],
  };
};

const LOOK_AROUND = /\(\?(?:[=!]|<[=!])|\\[1-9]/;

const integerPart = (node: Json, k8s: KubernetesMeta, path: string): Partial<StructuralSchema> => {
  if (k8s.format === undefined) throw new TypeError(`${path}: a number must be a whole one, with int32 or int64 as its format`);
  const isWidest = node['maximum'] === (k8s.format === 'int32' ? 2_147_483_647 : undefined);
  return { format: k8s.format, ...pick(node, isWidest ? ['minimum'] : ['minimum', 'maximum']) };
};

const pick = (node: Json, names: readonly string[]): Json =>
  Object.fromEntries(names.filter((name) => node[name] !== undefined).map((name) => [name, node[name]]));

const asMap = (value: unknown, path: string): Json => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${path}: not a schema`);
  return Object.fromEntries(Object.entries(value));
};
