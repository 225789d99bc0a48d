/** What the fake API server keeps: objects of any kind, a version that counts up, and the events since its last compaction. */
import { randomUUID } from 'node:crypto';

export interface FakeObject {
  readonly metadata: FakeMeta;
  readonly [field: string]: unknown;
}

export interface FakeMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly [field: string]: unknown;
}

/** Of which kind, in which namespace, of which name: read from the path of a request. */
export interface FakePlace {
  /** Group, version and plural. */
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly isStatus: boolean;
}

export interface FakeEvent {
  readonly version: number;
  readonly kind: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: FakeObject;
}

export interface FakeApiStore {
  version(): number;
  /** Creates or replaces as it is, with a new version. */
  put(kind: string, object: FakeObject): FakeObject;
  /** False where there was none. */
  remove(kind: string, namespace: string | null, name: string): boolean;
  get(kind: string, namespace: string | null, name: string): FakeObject | null;
  list(kind: string, namespace: string | null): readonly FakeObject[];
  /** Events after a version; null where they are no longer known. */
  since(version: number): readonly FakeEvent[] | null;
  /** Forgets all events so far: whoever is behind has to list. */
  compact(): void;
  onEvent(listener: (event: FakeEvent) => void): void;
}

const keyOf = (kind: string, namespace: string | null | undefined, name: string): string =>
  `${kind} ${namespace ?? ''} ${name}`;

export const makeFakeApiStore = (): FakeApiStore => {
  const objects = new Map<string, { readonly kind: string; readonly object: FakeObject }>();
  const listeners: ((event: FakeEvent) => void)[] = [];
  let history: FakeEvent[] = [];
  let version = 1000;
  let compactedTo = version;

  const tell = (kind: string, type: FakeEvent['type'], object: FakeObject): void => {
    const event = { version, kind, type, object };
    history.push(event);
    for (const listener of listeners) listener(event);
  };
  const stamped = (object: FakeObject, uid: unknown): FakeObject => {
    version += 1;
    return { ...object, metadata: { ...object.metadata, uid: String(uid), resourceVersion: `${version}` } };
  };

  return {
    version: () => version,
    put: (kind, object) => {
      const key = keyOf(kind, object.metadata.namespace, object.metadata.name);
      const before = objects.get(key)?.object;
      const after = stamped(object, before?.metadata.uid ?? randomUUID());
      objects.set(key, { kind, object: after });
      tell(kind, before === undefined ? 'ADDED' : 'MODIFIED', after);
      return after;
    },
    remove: (kind, namespace, name) => {
      const key = keyOf(kind, namespace, name);
      const before = objects.get(key);
      if (before === undefined) return false;
      objects.delete(key);
      tell(kind, 'DELETED', stamped(before.object, before.object.metadata.uid));
      return true;
    },
    get: (kind, namespace, name) => objects.get(keyOf(kind, namespace, name))?.object ?? null,
    list: (kind, namespace) =>
      [...objects.values()]
        .filter((entry) => entry.kind === kind && (namespace === null || entry.object.metadata.namespace === namespace))
        .map(({ object }) => object)
        .sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1)),
    since: (from) => (from < compactedTo ? null : history.filter((event) => event.version > from)),
    compact: () => {
      compactedTo = version;
      history = [];
    },
    onEvent: (listener) => void listeners.push(listener),
  };
};

const pathOf = ({ metadata: { namespace = '', name } }: FakeObject): string => `${namespace}/${name}`;

const PATH = /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/(status))?$/;

/** Null where the path is none of objects. */
export const placeOf = (path: string): FakePlace | null => {
  const found = PATH.exec(path);
  if (found === null) return null;
  const [, core, group, version, namespace, plural = '', name, status] = found;
  return {
    kind: core === undefined ? `${group ?? ''}/${version ?? ''}/${plural}` : `v1/${plural}`,
    namespace: namespace ?? null,
    name: name ?? null,
    isStatus: status !== undefined,
  };
};
