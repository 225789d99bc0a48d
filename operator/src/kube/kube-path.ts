/** Where objects live on the API server, and how selections, pages and write options are told in the query. */
import type { ApplyOptions, ListQuery, Selection, WatchQuery, WriteOptions } from './kube-api.ts';
import type { KubeKind, ObjectName } from './kube-object.ts';

/** `/apis/tollgate.dev/v1alpha1`, or `/api/v1` for the core kinds. */
export const groupPath = ({ group, version }: KubeKind): string =>
  group === '' ? `/api/${encodeURIComponent(version)}` : `/apis/${[group, version].map(encodeURIComponent).join('/')}`;

/** The path of all objects of a kind, in one namespace or in all. */
export const kindPath = (kind: KubeKind, namespace?: string): string => {
  if (namespace === undefined || namespace === '') return `${groupPath(kind)}/${encodeURIComponent(kind.plural)}`;
  if (!kind.namespaced) throw new Error(`${kind.kind} is a kind of the whole cluster: it has no namespace`);
  return `${groupPath(kind)}/namespaces/${encodeURIComponent(namespace)}/${encodeURIComponent(kind.plural)}`;
};

/** The path of one object. */
export const objectPath = (kind: KubeKind, { namespace, name }: ObjectName, subresource?: string): string => {
  if (name === '') throw new Error(`a name is needed: without one the path is that of every ${kind.kind}`);
  if (kind.namespaced && (namespace === undefined || namespace === ''))
    throw new Error(`a namespace is needed: ${kind.kind} ${name} lives in one`);
  const path = `${kindPath(kind, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
};

export const listSearch = (query: ListQuery): string =>
  searchOf({
    ...selectors(query),
    limit: query.limit,
    continue: query.continue,
  });

export const watchSearch = (query: WatchQuery): string =>
  searchOf({
    watch: 'true',
    allowWatchBookmarks: 'true',
    ...selectors(query),
    resourceVersion: query.resourceVersion,
    timeoutSeconds: query.timeoutSeconds,
  });

export const listHeaders = ({ metadataOnly }: Selection): Readonly<Record<string, string>> =>
  metadataOnly === true ? { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' } : {};

export const objectHeaders = ({ metadataOnly }: Pick<Selection, 'metadataOnly'>): Readonly<Record<string, string>> =>
  metadataOnly === true ? { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' } : {};

export const writeSearch = ({ dryRun, fieldManager }: WriteOptions): string =>
  searchOf({ dryRun: dryRun === true ? 'All' : undefined, fieldManager });

export const applySearch = ({ fieldManager, force, dryRun }: ApplyOptions): string =>
  searchOf({
    fieldManager,
    force: force === true ? 'true' : undefined,
    dryRun: dryRun === true ? 'All' : undefined,
  });

const selectors = ({ labelSelector, fieldSelector }: Selection) => ({ labelSelector, fieldSelector });

const searchOf = (fields: Readonly<Record<string, string | number | undefined>>): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) search.set(name, `${value}`);
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
};
