import { makeRememberedReplies, type RememberedReplies } from './remembered-replies.ts';
import { KEPT_AFTER_MS, type CounterKey, type Drained, type PoolEpoch, type StateGrant } from './pool-state.ts';

/**
 * What the memory state holds, as Redis would: a dataset that may be copied, lost or rolled back, and beside it what lives
 * only as long as the process. The fence compares the two (reliability.md 2.4).
 */
export interface Dataset {
  epoch: DatasetEpoch | null;
  readonly counters: Map<CounterKey, StateCounter>;
  readonly instances: Map<string, StateInstance>;
  readonly drains: Map<string, Drained>;
  readonly servers: Map<string, { readonly proxies: number; readonly at: number }>;
}

export interface DatasetEpoch {
  readonly id: string;
  readonly number: number;
  /** Rises with each change. */
  changes: number;
  closes: number;
}

export interface StateCounter {
  /** Written down as gone and not leased. Below zero only as a debt that a too small hold left behind. */
  pooled: bigint;
  /** In hands: granted − given back − settled. */
  leased: bigint;
  max: bigint;
  free: bigint;
  block: bigint;
  readonly windowEnd: number | null;
  readonly blocks: Map<string, bigint>;
}

export interface StateInstance {
  /** By counter: granted − given back. */
  readonly given: Map<CounterKey, bigint>;
  readonly settled: Map<CounterKey, bigint>;
  readonly leases: RememberedReplies<readonly StateGrant[]>;
  readonly returns: RememberedReplies<true>;
}

/** Lives in the process alone: a restart loses it, a rollback of the dataset does not touch it. */
export interface Volatile {
  epoch: { readonly id: string; readonly number: number } | null;
  changes: number;
  readonly mirror: Map<CounterKey, bigint>;
}

export const emptyDataset = (): Dataset => ({
  epoch: null,
  counters: new Map(),
  instances: new Map(),
  drains: new Map(),
  servers: new Map(),
});

export const emptyVolatile = (): Volatile => ({ epoch: null, changes: 0, mirror: new Map() });

export const emptyInstance = (): StateInstance => ({
  given: new Map(),
  settled: new Map(),
  leases: makeRememberedReplies(),
  returns: makeRememberedReplies(),
});

/** Shares nothing that changes with the one it was made of: what a map holds is replaced, but for these. */
export const copyDataset = ({ epoch, counters, instances, drains, servers }: Dataset): Dataset => ({
  epoch: epoch && { ...epoch },
  counters: copyMap(counters, (counter) => ({ ...counter, blocks: new Map(counter.blocks) })),
  instances: copyMap(instances, ({ given, settled, leases, returns }) => ({
    given: new Map(given),
    settled: new Map(settled),
    leases: { highest: leases.highest, replies: new Map(leases.replies) },
    returns: { highest: returns.highest, replies: new Map(returns.replies) },
  })),
  drains: new Map(drains),
  servers: new Map(servers),
});

const copyMap = <K, V>(map: ReadonlyMap<K, V>, copy: (value: V) => V): Map<K, V> => {
  const copied = new Map<K, V>();
  for (const [key, value] of map) copied.set(key, copy(value));
  return copied;
};

/** For mutants: which of its defences the state has given up. */
export interface Weakened {
  /** Believes the name of the epoch that stands in the dataset. */
  readonly fence?: boolean;
  /** Does not notice balances that are not those it wrote. */
  readonly mirror?: boolean;
  /** Lends what comes back, however much more is out than a lowered limit allows. */
  readonly lowered?: boolean;
}

/** Is this the epoch that was opened here, with nothing changed since but by us? */
export const isFenced = (
  { dataset, volatile }: { readonly dataset: Dataset; readonly volatile: Volatile },
  epoch: PoolEpoch,
  { fence = false, mirror = false }: Weakened,
): boolean => {
  if (dataset.epoch?.id !== epoch.id) return false;
  if (fence) return true;
  return volatile.epoch?.id === epoch.id && (mirror || volatile.changes === dataset.epoch.changes);
};

/** Null: what stands there is not what was written. Undefined: there is none. */
export const mirroredCounter = (
  { dataset, volatile }: { readonly dataset: Dataset; readonly volatile: Volatile },
  key: CounterKey,
  { mirror = false, fence = false }: Weakened,
): StateCounter | undefined | null => {
  const counter = dataset.counters.get(key);
  if (mirror || fence) return counter;
  return counter?.pooled === volatile.mirror.get(key) ? counter : null;
};

/** As Redis drops a key whose time is over. */
export const dropExpired = (
  { dataset, volatile }: { readonly dataset: Dataset; readonly volatile: Volatile },
  keys: Iterable<CounterKey>,
  now: number,
): void => {
  for (const key of keys) {
    const end = dataset.counters.get(key)?.windowEnd ?? null;
    if (end === null || now < end + KEPT_AFTER_MS) continue;
    dataset.counters.delete(key);
    volatile.mirror.delete(key);
  }
};
