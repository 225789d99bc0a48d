import type { Express } from 'express';
import type { Snapshot, Subject } from '@tollgate/api';
import type { CounterName } from '@tollgate/ledger';
import type { BlockSource, Pool, ResolveCounter } from '@tollgate/ledger/pool';
import type { Logger, Timers } from '@tollgate/runtime';
import type { Store } from '@tollgate/store';
import { makeApp } from './app.ts';
import type { TokenReviewer } from './auth/token-review.ts';
import { connectedEverywhere, connectedHere, type ConnectedProxies } from './connected/connected-proxies.ts';
import { makeListener } from './listener.ts';
import { makeServerMetrics, showCounts } from './metrics.ts';
import { makeOpenAnswers } from './open-answers.ts';
import { makeToldByOperator, type ToldByOperator } from './operator/told-by-operator.ts';
import { makeProxies } from './proxies.ts';
import { makeResourcesInForce, type Resources } from './resources/resources-in-force.ts';
import type { LedgerBounds } from './routes/ledger-routes.ts';
import { makeSnapshotStreams } from './snapshot-streams.ts';
import { makeUnbookedSpend } from './status/unbooked-spend.ts';
import { startTending } from './tending.ts';

/**
 * The server: ledger API for proxies, management API for people. Built here, listening only when told to; adapters
 * (the store, the kind of pool, who may call) are chosen by the process that builds it.
 */
export interface ServerDeps {
  readonly store: Store;
  readonly makePool: (deps: PoolDeps) => Promise<Pool>;
  /** `routesOf`: whose routes, where they are not the subject's own. */
  readonly snapshotFor: (subject: Subject, resources: Resources, routesOf?: Subject) => Snapshot;
  readonly authenticate: TokenReviewer;
  /** The ledger's clock: milliseconds since 1970, UTC. */
  readonly clock: () => number;
  /** Milliseconds that never go back: for how long what was read is good. */
  readonly monotonic: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Budgets in here may select other namespaces. */
  readonly systemNamespace: string;
  /** On a laptop: refuse any name for us but loopback's. */
  readonly loopbackOnly: boolean;
  /** Proxies of other servers are asked to give back, too; without it, those that are connected here. */
  readonly recalls?: RecallChannel;
  readonly bounds?: Partial<LedgerBounds>;
  /** The operator tells what holds, and which pods carry the proxy, instead of `setResources`. */
  readonly isToldByOperator?: boolean;
  /**
   * The database is another one, such as an empty one after its disk was lost: all requests fail until a process is
   * started on it anew. Told again every few seconds.
   */
  readonly onDatabaseReplaced?: () => void;
  /** This server's name among those of one database, new at each start: proxies are counted over all; else those here. */
  readonly server?: string;
}

/** What a pool is made of here. */
export interface PoolDeps {
  readonly source: BlockSource;
  readonly resolve: ResolveCounter;
  readonly clock: () => number;
  readonly liveProxies: () => number;
  /** Less of this counter may be leased than before. */
  readonly onLowered: (counter: CounterName) => void;
  readonly onFault: (fault: unknown, doing: string) => void;
}

/** Between the servers of one pool. Best effort: what is not heard is asked for again while a call waits. */
export interface RecallChannel {
  publish(counter: CounterName, except: string): void;
  listen(onRecall: (counter: CounterName, except: string) => void): void;
}

export interface TollgateServer {
  readonly app: Express;
  /** Puts these manifests in force, and tells every connected proxy what changed for it. Not where the operator tells. */
  setResources(resources: Resources): Promise<void>;
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly url: string }>;
  /** Ends the streams, answers what was asked, gives the pool back and seals its epoch. The store stays open. */
  close(): Promise<void>;
}

export const buildServer = async (deps: ServerDeps): Promise<TollgateServer> => {
  const { store, makePool, snapshotFor, clock, timers, logger, systemNamespace } = deps;
  const metrics = makeServerMetrics();
  const inForce = makeResourcesInForce({ clock, systemNamespace });
  const isInjected = (uid: string | null): boolean => uid === null || (told?.pods.has(uid) ?? true);
  const proxies = makeProxies({ clock, isPod: isInjected });
  const seed = inForce.seedFrom(() => pool.balances());
  const pool: Pool = await makePool({
    source: store.blocks({ clock, seed }),
    resolve: inForce.resolve,
    clock,
    liveProxies: () => proxies.count(),
    onLowered: (counter) => recall(counter, ''),
    onFault: (err, step) => logger.warn({ err, step }, 'pool fault, tried again'),
  });
  await store.sealOtherEpochs(pool.epoch(), clock());
  const streams = makeSnapshotStreams({
    snapshotFor: (subject, routesOf) => snapshotFor(subject, inForce.now(), routesOf),
    timers,
    clock,
    epoch: () => pool.epoch(),
    onDropped: (reason) => metrics.add('tollgate_server_streams_dropped_total', { reason }),
  });
  const recall = (counter: CounterName, except: string): void => {
    if (streams.recall(counter, except)) deps.recalls?.publish(counter, except);
  };
  deps.recalls?.listen((counter, except) => streams.recall(counter, except));
  const tending = startTending({
    pool,
    store,
    inForce,
    clock,
    timers,
    logger,
    onReplaced: () => deps.onDatabaseReplaced?.(),
  });

  let hadResources = false;
  const setResources = async (resources: Resources): Promise<void> => {
    const limits = inForce.definitions(resources);
    // What a limit had in the pool when it went must be home before it returns: it may be spent by now.
    if (hadResources && inForce.hasNew(limits)) await tending.tendPool();
    // Written down first: a counter made under the new terms asks since when they hold.
    await store.defineLimits(limits, clock());
    hadResources = true;
    inForce.replace(resources);
    streams.refresh();
  };
  /** Of a pod whose labels changed, the proxy speaks for another subject from now on. */
  const subjectByPod = (instance: string): Subject | null => {
    const uid = proxies.podOf(instance);
    const subject = uid === null ? null : (told?.pods.subjectOf(uid) ?? null);
    if (subject !== null) proxies.saw(instance, subject);
    return subject;
  };
  const told: ToldByOperator | null =
    deps.isToldByOperator === true
      ? makeToldByOperator({
          store,
          check: (resources) => void inForce.definitions(resources),
          setResources,
          onPods: () => streams.retell(subjectByPod),
          onTold: (document, outcome) => metrics.add('tollgate_server_told_total', { document, outcome }),
          clock,
          timers,
          logger,
        })
      : null;
  const connected: ConnectedProxies =
    deps.server === undefined
      ? connectedHere(proxies)
      : connectedEverywhere({
          store,
          server: deps.server,
          here: () => [...streams.connected()].filter(({ instance }) => isInjected(proxies.podOf(instance))),
          clock,
          timers,
          logger,
        });
  showCounts(metrics, {
    proxies: () => proxies.count(),
    degraded: (reason) => proxies.countDegraded(reason),
    streams: () => streams.count(),
    budgets: () => inForce.now().budgets.length,
    pods: () => told?.pods.count() ?? 0,
    isTold: () => hadResources,
  });

  const answers = makeOpenAnswers();
  const unbooked = makeUnbookedSpend({ seedOf: (terms) => store.seedOf(terms, seed), monotonic: deps.monotonic });
  const app = makeApp({
    ...deps,
    pool,
    inForce,
    proxies,
    streams,
    recall,
    metrics,
    connected,
    told,
    unbooked,
    answers,
  });
  const listener = makeListener(app, timers);
  let closed = false;
  return {
    app,
    setResources,
    listen: async (address) => {
      await told?.start();
      connected.start();
      return listener.listen(address);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      tending.stop();
      answers.endConnections();
      told?.stop();
      streams.stop();
      await listener.close();
      await connected.stop().catch((err: unknown) => logger.warn({ err }, 'connected proxies not taken off'));
      await pool.stop();
      await store.sealEpoch(pool.epoch(), clock());
    },
  };
};
