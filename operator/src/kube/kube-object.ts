/** What every object of the API server has, and how a kind of them is addressed. */

/** An object as it is read or written. A kind's own fields (`spec`, `status`) are added by whoever knows the kind. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: KubeMeta;
}

export interface KubeMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Opaque: only ever compared for equality and handed back. */
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly OwnerReference[];
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** `group` is empty for the core kinds (Pod, Secret, Namespace). */
export interface KubeKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Without a namespace: an object of the whole cluster. */
export interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

/** As `apiVersion` is written in a manifest: `v1`, `apps/v1`. */
export const apiVersionOf = ({ group, version }: Pick<KubeKind, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;

/** `team-a/monthly`, or `team-a` for an object of the whole cluster: the key of caches and work queues. */
export const keyOf = ({ namespace, name }: ObjectName): string =>
  namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;

/** The reverse of `keyOf`: names hold no slash. */
export const nameOfKey = (key: string): ObjectName => {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};

/** Of its metadata, what tells an object and its version from others: the least that a cache must keep. */
export const identityOf = ({ name, namespace, uid, resourceVersion }: KubeMeta): KubeMeta => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(uid === undefined ? {} : { uid }),
  ...(resourceVersion === undefined ? {} : { resourceVersion }),
});

export const nameOf = ({ metadata: { namespace, name } }: KubeObject): ObjectName =>
  namespace === undefined ? { name } : { namespace, name };
