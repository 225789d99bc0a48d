/**
 * Looks whether the watch tells everything: lists what there is, waits a moment for events that are on their way, and
 * counts what the cache still has otherwise. A watch that has silently lost an event would never make up for it.
 */
import type { KubeApi, Selection } from './kube-api.ts';
import { keyOf, nameOf, type KubeKind, type KubeObject } from './kube-object.ts';
import { listAll } from './list-all.ts';

export interface ComparingList {
  /** An event came, or the cache was filled anew, for this key: what the list said of it may be older. */
  saw(key: string): void;
  /**
   * How many objects differ that no event told of.
   *
   * @throws KubeFault, or the reason of `signal`.
   */
  run(signal: AbortSignal): Promise<number>;
}

export interface ComparingListOptions {
  readonly api: Pick<KubeApi, 'list'>;
  readonly kind: KubeKind;
  readonly selection: Selection;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Key and resource version of what is in the cache now. */
  readonly cached: () => Iterable<readonly [string, string]>;
}

export const versionsOf = (objects: readonly KubeObject[]): readonly (readonly [string, string])[] =>
  objects.map((object) => [keyOf(nameOf(object)), object.metadata.resourceVersion ?? '']);

/** Events take milliseconds; what has not come after that does not come. */
const ON_THEIR_WAY_MS = 5000;

export const makeComparingList = ({ api, kind, selection, pause, cached }: ComparingListOptions): ComparingList => {
  let seen: Set<string> | null = null;
  return {
    saw: (key) => void seen?.add(key),
    run: async (signal) => {
      const touched = new Set<string>();
      seen = touched;
      try {
        const listed = await listAll({
          api,
          kind,
          // Names and versions are enough to compare.
          selection: { ...selection, metadataOnly: true },
          signal,
          keep: (object: KubeObject) => [keyOf(nameOf(object)), object.metadata.resourceVersion ?? ''] as const,
        });
        await pause(ON_THEIR_WAY_MS, signal);
        return countDifferences(new Map(listed.items), new Map(cached()), touched);
      } finally {
        seen = null;
      }
    },
  };
};

const countDifferences = (
  listed: ReadonlyMap<string, string>,
  cached: ReadonlyMap<string, string>,
  touched: ReadonlySet<string>,
): number => {
  let count = 0;
  for (const [key, version] of listed) if (!touched.has(key) && cached.get(key) !== version) count += 1;
  for (const key of cached.keys()) if (!touched.has(key) && !listed.has(key)) count += 1;
  return count;
};
