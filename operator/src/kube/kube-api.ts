/**
 * The port to the API server: plain calls on objects of any kind. `kube-client.ts` makes it. Every call but `watch` has a
 * deadline; every fault is a `KubeFault`, except that a call which its caller aborted throws the reason of that signal.
 * What is read is the server's word: kinds whose fields matter are parsed by whoever knows them.
 */
import type { KubeKind, KubeObject, ObjectName } from './kube-object.ts';

export interface KubeApi {
  /** Null where there is no such object. */
  get<T extends KubeObject>(kind: KubeKind, name: ObjectName, options?: GetOptions): Promise<T | null>;
  /** One page. */
  list<T extends KubeObject>(kind: KubeKind, query: ListQuery, options?: CallOptions): Promise<KubeList<T>>;
  /**
   * Events from a resource version on, first of all `OPENED` once the server has taken the watch. Ends when the server
   * ends it; throws a `KubeFault` where the connection breaks or an `ERROR` event comes (410: list again). Knows nothing
   * of silence: `signal` ends it.
   */
  watch<T extends KubeObject>(kind: KubeKind, query: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<T>>;
  /** 409 `AlreadyExists` where the name is taken. With `dryRun` everything is checked and nothing kept. */
  create<T extends KubeObject>(kind: KubeKind, object: T, options?: WriteOptions): Promise<T>;
  /** `metadata.resourceVersion` decides: 409 `Conflict` where someone else wrote meanwhile. */
  replace<T extends KubeObject>(kind: KubeKind, object: T, options?: WriteOptions): Promise<T>;
  /**
   * Server-side apply of the fields that `object` names; fields that this manager named before and no longer names go. Any
   * part of the kind will do. `metadata.uid` in it is a precondition (409; in a status 422, and of custom kinds it is
   * ignored there).
   */
  apply<T extends KubeObject>(kind: KubeKind, object: Applied<T>, options: ApplyOptions): Promise<T>;
  /** Where there is no such object, nothing happens. */
  remove(kind: KubeKind, name: ObjectName, options?: RemoveOptions): Promise<void>;
  /** Whether the server knows the kind now: a custom resource may be installed or taken away at any time. */
  serves(kind: KubeKind, options?: CallOptions): Promise<boolean>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For the whole call, its body included. Default 30,000. */
  readonly timeoutMs?: number;
}

/** `metadataOnly`: `metadata` alone, so that what a Secret holds never comes here. */
export type GetOptions = CallOptions & Pick<Selection, 'metadataOnly'>;

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  /** Takes fields over from other managers instead of failing with 409. */
  readonly force?: boolean;
  readonly subresource?: 'status';
  readonly dryRun?: boolean;
}

export interface RemoveOptions extends CallOptions {
  /** 409 where the name has become another object's. */
  readonly uid?: string;
  /** What becomes of what it owns. Default is the kind's own, in most kinds Background. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly dryRun?: boolean;
}

/** What `apply` takes: a name, and any fields of the kind. */
export type Applied<T extends KubeObject> = KubeObject & {
  readonly [F in Exclude<keyof T, keyof KubeObject>]?: unknown;
};

/** What narrows a list or a watch. Without `namespace`: all namespaces. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects come as `PartialObjectMetadata`: `metadata` alone, which of pods is a tenth. */
  readonly metadataOnly?: boolean;
}

export interface ListQuery extends Selection {
  /** Objects a page. Without it everything comes at once. */
  readonly limit?: number;
  readonly continue?: string;
}

export interface WatchQuery extends Selection {
  readonly resourceVersion: string;
  /** When the server ends the watch, so that no connection lives for ever. */
  readonly timeoutSeconds: number;
}

export interface KubeList<T extends KubeObject> {
  readonly items: readonly T[];
  /** From which a watch goes on. */
  readonly resourceVersion: string;
  /** For the next page; null on the last one. */
  readonly continue: string | null;
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'OPENED' }
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing changed up to here: a later watch may go on from this resource version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };
