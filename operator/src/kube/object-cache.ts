/** Objects of one kind as they were last seen, by name and by declared indexes. Filled by a reflector; read by anyone. */
import { keyOf, nameOf, type KubeObject, type ObjectName } from './kube-object.ts';

/** What readers see. Objects are never changed in place: a newer one is another object. */
export interface ObjectCache<T extends KubeObject> {
  get(name: ObjectName): T | null;
  /** All of them, or those of one namespace. */
  list(namespace?: string): readonly T[];
  /** Those for which the named index gives this value. Throws for an index that was not declared. */
  by(index: string, value: string): readonly T[];
  readonly size: number;
  /**
   * Tells of every later change, after it can be read here; the answer ends that. What a listener throws is reported and
   * concerns nobody else. An object that was deleted and made again under its name while nobody looked is one change with
   * two `metadata.uid`s.
   */
  onChange(listener: ChangeListener<T>): () => void;
}

export interface ObjectChange<T extends KubeObject> {
  /** Null: it is new. */
  readonly before: T | null;
  /** Null: it is gone. */
  readonly after: T | null;
}

export type ChangeListener<T extends KubeObject> = (change: ObjectChange<T>) => void;

/** What the owner of the cache sees as well. */
export interface ObjectStore<T extends KubeObject> extends ObjectCache<T> {
  set(object: T): void;
  delete(name: ObjectName): void;
  /** Makes these all there is. Tells only of what differs in resource version. */
  replace(objects: readonly T[]): void;
}

/** The values under which an object is found; none where it does not belong to the index. */
export type Index<T extends KubeObject> = (object: T) => readonly string[];

export interface ObjectCacheOptions<T extends KubeObject> {
  readonly indexes?: Readonly<Record<string, Index<T>>>;
  /** What a listener or an index threw. */
  readonly onListenerFault: (error: unknown) => void;
}

const NAMESPACE = ' namespace';

/**
 * @example
 * const pods = makeObjectCache<Pod>({ indexes: { node: (pod) => [pod.spec.nodeName] }, onListenerFault });
 * pods.by('node', 'worker-1');
 */
export const makeObjectCache = <T extends KubeObject>({
  indexes = {},
  onListenerFault,
}: ObjectCacheOptions<T>): ObjectStore<T> => {
  const objects = new Map<string, T>();
  const listeners = new Set<ChangeListener<T>>();
  const indexed = new Map<string, { readonly of: Index<T>; readonly keys: Map<string, Set<string>> }>(
    [...Object.entries(indexes), [NAMESPACE, namespaceOf] as const].map(([name, of]) => [
      name,
      { of, keys: new Map() },
    ]),
  );

  const valuesOf = (of: Index<T>, object: T): readonly string[] => {
    try {
      return of(object);
    } catch (error) {
      onListenerFault(error);
      return [];
    }
  };
  const file = (key: string, object: T): void => {
    for (const { of, keys } of indexed.values()) {
      for (const value of valuesOf(of, object)) {
        const found = keys.get(value);
        if (found === undefined) keys.set(value, new Set([key]));
        else found.add(key);
      }
    }
  };
  const unfile = (key: string, object: T): void => {
    for (const { of, keys } of indexed.values()) {
      for (const value of valuesOf(of, object)) {
        const found = keys.get(value);
        if (found?.delete(key) === true && found.size === 0) keys.delete(value);
      }
    }
  };
  const tell = (change: ObjectChange<T>): void => {
    for (const listener of [...listeners]) {
      try {
        listener(change);
      } catch (error) {
        onListenerFault(error);
      }
    }
  };
  const put = (key: string, after: T): void => {
    const before = objects.get(key) ?? null;
    if (before !== null) unfile(key, before);
    objects.set(key, after);
    file(key, after);
    tell({ before, after });
  };
  const drop = (key: string): void => {
    const before = objects.get(key);
    if (before === undefined) return;
    unfile(key, before);
    objects.delete(key);
    tell({ before, after: null });
  };
  const found = (index: string, value: string): readonly T[] => {
    const entry = indexed.get(index);
    if (entry === undefined) throw new Error(`no index ${index}: declare it where the cache is made`);
    return [...(entry.keys.get(value) ?? [])].flatMap((key) => objects.get(key) ?? []);
  };

  return {
    get: (name) => objects.get(keyOf(name)) ?? null,
    list: (namespace) => (namespace === undefined ? [...objects.values()] : found(NAMESPACE, namespace)),
    by: found,
    get size() {
      return objects.size;
    },
    onChange: (listener) => {
      // Wrapped, so that a function given twice is told twice and each answer ends its own.
      const own: ChangeListener<T> = (change) => listener(change);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    set: (object) => put(keyOf(nameOf(object)), object),
    delete: (name) => drop(keyOf(name)),
    replace: (all) => {
      const present = new Set(all.map((object) => keyOf(nameOf(object))));
      for (const key of [...objects.keys()]) if (!present.has(key)) drop(key);
      for (const object of all) {
        const key = keyOf(nameOf(object));
        const before = objects.get(key);
        if (before === undefined || !isSameVersion(before, object)) put(key, object);
      }
    },
  };
};

const namespaceOf = ({ metadata: { namespace } }: KubeObject): readonly string[] =>
  namespace === undefined ? [] : [namespace];

/** Versions count on a kind, and an object made again gets a new one; the uid guards against a restored database. */
const isSameVersion = (before: KubeObject, after: KubeObject): boolean =>
  before.metadata.resourceVersion !== undefined &&
  before.metadata.resourceVersion === after.metadata.resourceVersion &&
  before.metadata.uid === after.metadata.uid;
