/** What is kept of a pod that carries the proxy as injected. A pod as the API server sends it is ten times that. */
import { isMap, mapOf } from '../injection/json-value.ts';
import { INJECTED, PROXY_CONTAINER, STATUS } from '../injection/names.ts';
import { identityOf, type KubeMeta, type KubeObject } from '../kube/kube-object.ts';

export interface InjectedPod extends KubeObject {
  readonly serviceAccount: string;
  /** Null: the label says that it carries the proxy, and its containers do not. */
  readonly proxyImage: string | null;
  readonly configHash: string;
  /** Of the proxy as injected; '' where the annotation cannot be read. */
  readonly version: string;
}

export const INJECTED_SELECTOR = `${INJECTED}=true`;

/** The label and the annotations of a pod may be written by whoever may edit it, its containers and account may not. */
export const toInjectedPod = (pod: KubeObject & { readonly spec?: unknown }): InjectedPod => {
  const spec = isMap(pod.spec) ? pod.spec : {};
  const { serviceAccountName } = spec;
  const told = statusOf(pod.metadata.annotations?.[STATUS]);
  return {
    metadata: keptMeta(pod.metadata),
    serviceAccount: typeof serviceAccountName === 'string' ? serviceAccountName : 'default',
    proxyImage: proxyImage(spec['initContainers']),
    configHash: told.configHash,
    version: told.version,
  };
};

const keptMeta = (metadata: KubeMeta): KubeMeta => {
  const { labels, creationTimestamp, deletionTimestamp, ownerReferences = [] } = metadata;
  return {
    ...identityOf(metadata),
    ...(labels === undefined ? {} : { labels }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ownerReferences: ownerReferences.filter(({ controller }) => controller === true),
  };
};

/** A native sidecar: an init container that is never waited for. */
const proxyImage = (containers: unknown): string | null => {
  if (!Array.isArray(containers)) return null;
  const proxy = containers.find(
    (container: unknown): container is Readonly<Record<string, unknown>> =>
      isMap(container) && container['name'] === PROXY_CONTAINER && container['restartPolicy'] === 'Always',
  );
  const image = proxy?.['image'];
  return typeof image === 'string' ? image : null;
};

const statusOf = (annotation: string | undefined): { readonly configHash: string; readonly version: string } => {
  const told = mapOf(annotation);
  const text = (name: string): string => {
    const value = told[name];
    return typeof value === 'string' ? value.slice(0, 256) : '';
  };
  return { configHash: text('configHash'), version: text('version') };
};
