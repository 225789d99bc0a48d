/** Keeps a cache equal to what the API server has of one kind. */
import type { KubeObject } from './kube-object.ts';
import type { ObjectCache } from './object-cache.ts';

export interface Reflector<T extends KubeObject> {
  readonly cache: ObjectCache<T>;
  /** Lists, then watches, until `stop`. */
  start(): void;
  /** Resolves when the cache holds the first list. Rejects only where `stop` comes first. */
  readonly synced: Promise<void>;
  readonly hasSynced: () => boolean;
  /** Milliseconds since the server was last heard of: an event, a bookmark, a list, an accepted watch. */
  stalenessMs(): number;
  stop(): Promise<void>;
}
