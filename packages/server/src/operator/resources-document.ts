/**
 * The resources that the operator sends: read whole or not at all, every fault with its place, and put into one form, so
 * that the same content has the same version whoever sends it and in whatever order.
 */
import { createHash } from 'node:crypto';
import { pathText, type Fault } from '@tollgate/api';
import { parseManifest, type Kind, type ObjectMeta, type Resource } from '@tollgate/api/schema';
import type { NamespaceLabels, Resources } from '../resources/resources-in-force.ts';
import { labelsFaults, namespaceFault } from './cluster-names.ts';
import { canonicalJson } from './canonical-json.ts';

export type DocumentReading<T> =
  | { readonly ok: true; readonly content: T; readonly version: string; readonly text: string }
  | { readonly ok: false; readonly faults: readonly Fault[] };

const LISTS = {
  budgets: 'TokenBudget',
  routes: 'ModelRoute',
  inferenceServices: 'LLMInferenceService',
} as const satisfies Readonly<Record<string, Kind>>;
const FIELDS = [...Object.keys(LISTS), 'namespaces'];

export const readResources = (value: unknown): DocumentReading<Resources> => {
  if (!isMap(value)) return refused([{ path: '', message: `must be a map of ${FIELDS.join(', ')}` }]);
  const faults: Fault[] = Object.keys(value)
    .filter((field) => !FIELDS.includes(field))
    .map((field) => ({ path: pathText([field]), message: 'unknown field' }));
  const budgets = readList(value, 'budgets', faults);
  const routes = readList(value, 'routes', faults);
  const inferenceServices = readList(value, 'inferenceServices', faults);
  const namespaces = readNamespaces(value['namespaces'], faults);
  if (faults.length > 0) return refused(faults);
  const labelled = Object.fromEntries([...namespaces].map(([name, labels]) => [name, { labels }]));
  const text = canonicalJson({ budgets, routes, inferenceServices, namespaces: labelled });
  return { ok: true, content: { budgets, routes, inferenceServices, namespaces }, version: versionOf(text), text };
};

export const versionOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const refused = (faults: readonly Fault[]): { readonly ok: false; readonly faults: readonly Fault[] } => ({
  ok: false,
  faults,
});

type OfList<L extends keyof typeof LISTS> = Extract<Resource, { kind: (typeof LISTS)[L] }>;

const readList = <L extends keyof typeof LISTS>(
  value: Readonly<Record<string, unknown>>,
  list: L,
  faults: Fault[],
): readonly OfList<L>[] => {
  const entries = value[list];
  if (!Array.isArray(entries)) {
    faults.push({ path: list, message: entries === undefined ? 'is required' : 'must be a list' });
    return [];
  }
  const found = new Map<string, OfList<L>>();
  entries.forEach((entry: unknown, index) => {
    const reading = parseManifest(entry);
    const at = (path: string, message: string): void => {
      faults.push({ path: `${list}[${String(index)}]${path === '' ? '' : `.${path}`}`, message });
    };
    if (!reading.ok) {
      for (const { path, message } of reading.faults) at(path, message);
      return;
    }
    if (!isOfList(reading.resource, list)) {
      at('kind', `must be ${LISTS[list]}, not ${reading.resource.kind}`);
      return;
    }
    const { namespace, name } = reading.resource.metadata;
    const key = `${namespace}/${name}`;
    if (found.has(key)) at('metadata.name', `${key} is in the list twice`);
    found.set(key, settled(reading.resource));
  });
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
};

const isOfList = <L extends keyof typeof LISTS>(resource: Resource, list: L): resource is OfList<L> =>
  resource.kind === LISTS[list];

/**
 * Without what changes while nothing changes: the version of the object, who wrote it, its status. The status of an
 * inference service alone says something that holds, which is where it is reached.
 */
const settled = <R extends Resource>(resource: R): R => {
  const { status, ...rest } = resource;
  return {
    ...rest,
    metadata: metadataOf(resource.metadata),
    ...(resource.kind === 'LLMInferenceService' && status !== undefined ? { status: addressOf(resource.status) } : {}),
  } as R;
};

const metadataOf = ({ name, namespace, labels, uid, generation, creationTimestamp }: ObjectMeta): ObjectMeta => ({
  name,
  namespace,
  ...(labels === undefined ? {} : { labels }),
  ...(uid === undefined ? {} : { uid }),
  ...(generation === undefined ? {} : { generation }),
  ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
});

const addressOf = (
  status: Extract<Resource, { kind: 'LLMInferenceService' }>['status'],
): Extract<Resource, { kind: 'LLMInferenceService' }>['status'] => ({
  ...(status?.url === undefined ? {} : { url: status.url }),
  ...(status?.addresses === undefined ? {} : { addresses: status.addresses }),
});

const readNamespaces = (value: unknown, faults: Fault[]): NamespaceLabels => {
  const found = new Map<string, Readonly<Record<string, string>>>();
  if (!isMap(value)) {
    faults.push({ path: 'namespaces', message: value === undefined ? 'is required' : 'must be a map' });
    return found;
  }
  for (const [name, entry] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const path = pathText(['namespaces', name]);
    const fault = namespaceFault(name);
    if (fault !== null) faults.push({ path, message: fault });
    if (!isMap(entry) || Object.keys(entry).some((field) => field !== 'labels')) {
      faults.push({ path, message: 'must be a map of labels' });
      continue;
    }
    const labels = entry['labels'] ?? {};
    faults.push(...labelsFaults(labels, `${path}.labels`));
    found.set(name, labels as Readonly<Record<string, string>>);
  }
  return found;
};

export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
