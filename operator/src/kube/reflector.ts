/**
 * Keeps a cache equal to what the API server has of one kind: lists, then watches from there on, and begins again however
 * that ends. Nothing that the server does or that a listener throws ends it; `stop` does.
 */
import type { LogFields, Logger, Timers } from '@tollgate/runtime';
import { makeComparingList, versionsOf } from './comparing-list.ts';
import type { KubeApi, Selection, WatchEvent } from './kube-api.ts';
import { apiVersionOf, keyOf, nameOf, type KubeKind, type KubeObject } from './kube-object.ts';
import { listAll } from './list-all.ts';
import type { KubeMetrics } from './metrics.ts';
import { makeObjectCache, type Index, type ObjectCache } from './object-cache.ts';
import { runWatch, type OpenWatch } from './one-watch.ts';
import { pauseWith } from './pause.ts';
import { makeReconnectDelay } from './reconnect-delay.ts';
import { trimmed } from './trimmed.ts';

export interface Reflector<T extends KubeObject> {
  readonly kind: KubeKind;
  readonly cache: ObjectCache<T>;
  /** Lists, then watches, until `stop`. Listeners registered before hear of everything. */
  start(): void;
  /** Resolves when the cache holds the first list. Rejects only where `stop` comes first. */
  readonly synced: Promise<unknown>;
  hasSynced(): boolean;
  /** Milliseconds since the server was last heard of: a list, an accepted watch, an event, a bookmark. */
  stalenessMs(): number;
  /**
   * Milliseconds since it last heard or tried anything. It grows to some minutes at most, also while the server is away:
   * beyond ten the process is stuck, which is what `/livez` asks.
   */
  idleMs(): number;
  stop(): Promise<void>;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly api: Pick<KubeApi, 'list' | 'watch'>;
  readonly kind: KubeKind;
  readonly selection?: Selection;
  readonly indexes?: Readonly<Record<string, Index<T>>>;
  /** What to keep of an object, to save memory: all of `metadata` but its maps. `managedFields` is gone before. */
  readonly transform?: (object: T) => T;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Pick<KubeMetrics, 'add'>;
}

const COMPARE_EVERY_MS = 600_000;

export const makeReflector = <T extends KubeObject>({
  api,
  kind,
  selection = {},
  indexes = {},
  transform = (object) => object,
  timers,
  clock,
  random,
  log: processLog,
  metrics,
}: ReflectorOptions<T>): Reflector<T> => {
  const log = processLog.with({ kind: kind.kind });
  const labels = { kind: kind.kind };
  const pause = pauseWith(timers);
  const delay = makeReconnectDelay(random);
  const stopping = new AbortController();
  const synced = Promise.withResolvers<undefined>();
  synced.promise.catch(() => undefined);
  const store = makeObjectCache<T>({
    indexes,
    onListenerFault: (error) => log.error({ err: error }, 'a listener threw; the watch goes on'),
  });
  /** Objects whose newest version could not be taken in: version by key. They count as seen, not as missed. */
  const untaken = new Map<string, string>();
  const comparison = makeComparingList({
    api,
    kind,
    selection,
    pause,
    cached: () => [...versionsOf(store.list()), ...untaken],
  });
  const base = { apiVersion: apiVersionOf(kind), kind: kind.kind };

  /** From which a watch goes on; null: list. */
  let version: string | null = null;
  let listReason = 'start';
  let hasSynced = false;
  let heardAt = clock();
  let triedAt = clock();
  let compareAt = Infinity;
  let loop: Promise<void> | null = null;

  const heard = (): void => {
    heardAt = clock();
  };
  const compareLater = (): void => {
    compareAt = clock() + COMPARE_EVERY_MS * (0.9 + 0.2 * random());
  };

  /** What is kept of an object. One that cannot be taken in must not cost the others: what was known of it stays. */
  const keep = (object: T): T | undefined => {
    const name = nameOf(object);
    const key = keyOf(name);
    try {
      const kept = transform(trimmed({ ...object, ...base }));
      untaken.delete(key);
      return kept;
    } catch (error) {
      untaken.set(key, object.metadata.resourceVersion ?? '');
      log.error({ name: key, err: error }, 'an object could not be taken in');
      return store.get(name) ?? undefined;
    }
  };

  const list = async (): Promise<void> => {
    untaken.clear();
    const found = await listAll({ api, kind, selection, signal: stopping.signal, keep, onPage: heard });
    store.replace(found.items);
    version = found.resourceVersion;
    compareLater();
    metrics.add('tollgate_kube_lists_total', { ...labels, reason: listReason });
    log.info({ count: found.items.length, reason: listReason }, 'listed');
    listReason = 'expired';
    hasSynced = true;
    synced.resolve(undefined);
  };

  const take = (event: WatchEvent<T>): void => {
    heard();
    switch (event.type) {
      case 'OPENED':
        return;
      case 'BOOKMARK':
        version = event.resourceVersion;
        return;
      case 'DELETED': {
        const name = nameOf(event.object);
        comparison.saw(keyOf(name));
        version = event.object.metadata.resourceVersion ?? version;
        untaken.delete(keyOf(name));
        store.delete(name);
        return;
      }
      case 'ADDED':
      case 'MODIFIED': {
        comparison.saw(keyOf(nameOf(event.object)));
        version = event.object.metadata.resourceVersion ?? version;
        const kept = keep(event.object);
        if (kept !== undefined) store.set(kept);
        return;
      }
      default:
        event satisfies never;
    }
  };

  /** While one watch is open: when it is time, compares, and gives the watch up where it has missed something. */
  const compare = async ({ signal, giveUp }: OpenWatch): Promise<void> => {
    while (!signal.aborted) {
      await pause(Math.max(0, compareAt - clock()), signal);
      const count = await comparison.run(signal);
      compareLater();
      if (count === 0) continue;
      metrics.add('tollgate_kube_missed_events_total', labels, count);
      log.warn({ count }, 'the watch missed events; everything is listed again');
      giveUp();
    }
  };
  const onOpen = (watching: OpenWatch): void => {
    compare(watching).catch((error: unknown) => {
      // It ends with its watch, and the next watch compares; a list that failed meanwhile is worth a line.
      if (!watching.signal.aborted) log.warn({ err: error }, 'the cache could not be compared with the server');
    });
  };

  const stayAway = async (fields: LogFields, error: unknown): Promise<void> => {
    const retryInMs = Math.round(delay.next(error));
    const all = { ...fields, retryInMs, ageMs: Math.round(clock() - heardAt) };
    if (error === null) log.debug(all, 'watch ended');
    else log.warn({ ...all, err: error }, version === null ? 'list failed' : 'watch failed');
    await pause(retryInMs, stopping.signal);
  };

  /** A list or a watch, and the wait after it where it has ended. Rejects only when stopped. */
  const step = async (): Promise<void> => {
    if (version === null) {
      try {
        await list();
      } catch (error) {
        stopping.signal.throwIfAborted();
        await stayAway({}, error);
      }
      return;
    }
    const query = { ...selection, resourceVersion: version, timeoutSeconds: 300 + Math.floor(300 * random()) };
    const { signal } = stopping;
    const report = await runWatch<T>({ api, kind, query, timers, clock, signal, onEvent: take, onOpen });
    signal.throwIfAborted();
    metrics.add('tollgate_kube_watch_ends_total', { ...labels, reason: report.end });
    if (report.hasWorked) delay.reset();
    if (report.end === 'missed') listReason = 'missed';
    const mustList = report.end === 'missed' || report.end === 'expired' || report.end === 'refused';
    await stayAway({ reason: report.end }, report.error);
    if (mustList) version = null;
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      triedAt = clock();
      try {
        await step();
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.error({ err: error }, 'the reflector failed in itself; it goes on');
        await pause(5000, stopping.signal).catch(() => undefined);
      }
    }
  };

  return {
    kind,
    cache: store,
    start: () => {
      heard();
      loop ??= run();
    },
    synced: synced.promise,
    hasSynced: () => hasSynced,
    stalenessMs: () => clock() - heardAt,
    idleMs: () => clock() - Math.max(heardAt, triedAt),
    stop: async () => {
      stopping.abort(new Error('the reflector stops'));
      synced.reject(new Error(`the watch of ${kind.kind} was stopped before its first list`));
      await loop;
    },
  };
};

/** The gauges that are asked for when the page is read. Once a process. */
export const measureReflectors = (
  metrics: Pick<KubeMetrics, 'source'>,
  reflectors: readonly Pick<Reflector<KubeObject>, 'kind' | 'stalenessMs' | 'cache'>[],
): void => {
  /** Several reflectors may be of one kind, each with its selection. */
  const byKind = (value: (of: readonly (typeof reflectors)[number][]) => number) => () =>
    [...Map.groupBy(reflectors, ({ kind }) => kind.kind)].map(([kind, of]) => ({ labels: { kind }, value: value(of) }));
  metrics.source(
    'tollgate_kube_watch_staleness_seconds',
    byKind((of) => Math.max(...of.map(({ stalenessMs }) => stalenessMs())) / 1000),
  );
  metrics.source(
    'tollgate_kube_objects',
    byKind((of) => of.reduce((sum, { cache }) => sum + cache.size, 0)),
  );
};
