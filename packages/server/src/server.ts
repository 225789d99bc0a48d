import { createServer, type Server } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Snapshot, Subject } from '@tollgate/api';
import { DEGRADED_REASONS, type CounterName } from '@tollgate/ledger';
import type { BlockSource, Pool, ResolveCounter } from '@tollgate/ledger/pool';
import type { Logger, Timers } from '@tollgate/runtime';
import type { Store } from '@tollgate/store';
import { askingOf } from './asking.ts';
import { makeAuthenticate } from './auth/authenticate.ts';
import type { TokenReviewer } from './auth/token-review.ts';
import { authenticated, forManagement, loopbackHostOnly, noNulInUrl, noStore } from './guard.ts';
import { RequestRefused, toHttpRefusal } from './http-refusal.ts';
import { makeServerMetrics } from './metrics.ts';
import { makeOutageLog } from './outage-log.ts';
import { makeProxies } from './proxies.ts';
import { connectedEverywhere, connectedHere, type ConnectedProxies } from './connected/connected-proxies.ts';
import { makeToldByOperator, type ToldByOperator } from './operator/told-by-operator.ts';
import { makeRefusals } from './refusals.ts';
import { budgetName } from './resources/counter-terms.ts';
import { makeResourcesInForce, type Resources } from './resources/resources-in-force.ts';
import { adminRoutes } from './routes/admin-routes.ts';
import { gatewayRoutes } from './routes/gateway-routes.ts';
import { ledgerRoutes, type LedgerBounds } from './routes/ledger-routes.ts';
import { managementRoutes } from './routes/management-routes.ts';
import { operatorRoutes } from './routes/operator-routes.ts';
import { makeSnapshotStreams } from './snapshot-streams.ts';
import { makeUnbookedSpend } from './status/unbooked-spend.ts';

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

const TEND_MS = 5_000;
/** A batch of events takes milliseconds; nobody needs a slow request, and none may hold a connection open. */
const REQUEST_MS = 30_000;
const HEADERS_MS = 10_000;
/** Until a budget of `unresolvedPolicy: Release` gets back what a lost proxy took: a node that was only away has come back. */
const UNRESOLVED_MS = 3_600_000;
/** How long open requests may take to end. */
const DRAIN_MS = 5_000;
const IDLE_MS = 100;
/** A proxy has one for its snapshots and a few for the rest; more than this is no cluster of ours. */
const MOST_CONNECTIONS = 20_000;
/** Longer than any proxy's pause between batches, so that it is they who close. */
const KEEP_ALIVE_MS = 30_000;

export const buildServer = async (deps: ServerDeps): Promise<TollgateServer> => {
  const { store, makePool, snapshotFor, authenticate, clock, timers, logger, systemNamespace, loopbackOnly } = deps;
  const inForce = makeResourcesInForce({ clock, systemNamespace });
  const proxies = makeProxies({ clock, isPod: (uid) => told?.pods.has(uid) ?? true });
  const metrics = makeServerMetrics();
  metrics.source('tollgate_server_proxies', () => [{ labels: {}, value: proxies.count() }]);
  metrics.source('tollgate_server_proxies_degraded', () =>
    DEGRADED_REASONS.map((reason) => ({ labels: { reason }, value: proxies.countDegraded(reason) })),
  );
  metrics.source('tollgate_server_budgets', () => [{ labels: {}, value: inForce.now().budgets.length }]);
  metrics.source('tollgate_server_pods', () => [{ labels: {}, value: told?.pods.count() ?? 0 }]);
  metrics.source('tollgate_server_resources_told', () => [{ labels: {}, value: isReady() ? 1 : 0 }]);
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
  metrics.source('tollgate_server_streams', () => [{ labels: {}, value: streams.count() }]);
  const refusals = makeRefusals({ logger, clock });
  let hadResources = false;
  const isReady = (): boolean => hadResources;
  const setResources = async (resources: Resources): Promise<void> => {
    const limits = inForce.definitions(resources);
    // What a limit had in the pool when it went must be home before it returns: it may be spent by now.
    if (hadResources && inForce.hasNew(limits)) await pool.tend().catch(notTended);
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
          here: () => [...streams.connected()].filter(({ instance }) => isInjected(instance)),
          clock,
          timers,
          logger,
        });
  const isInjected = (instance: string): boolean => {
    const uid = proxies.podOf(instance);
    return uid === null || (told?.pods.has(uid) ?? true);
  };
  const outages = makeOutageLog({ logger, timers });

  let closed = false;
  const unanswered = new Set<Response>();
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.use((_request, response, next) => {
    response.once('finish', () => {
      metrics.add('tollgate_server_requests_total', { status: `${String(Math.trunc(response.statusCode / 100))}xx` });
    });
    next();
  });
  // Who is told so asks another server next, and no kept connection holds up the stop.
  app.use((_request, response, next) => {
    if (closed) response.set('Connection', 'close');
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
    next();
  });
  app.use(noStore);
  // Before anything is read: a page in a browser must learn nothing, not even that we are healthy.
  if (loopbackOnly) app.use(loopbackHostOnly);
  // The process is there; the database may be away, which no restart mends.
  app.get('/livez', (_request, response) => {
    response.type('text').send('ok\n');
  });
  app.get('/healthz', async (_request, response) => {
    await store.ping();
    response.type('text').send('ok\n');
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.page());
  });
  // Before bodies are read: a stranger's bytes are not parsed.
  const identify = makeAuthenticate({
    review: authenticate,
    clock,
    onReviewed: (outcome) => metrics.add('tollgate_server_token_reviews_total', { outcome }),
  });
  app.use('/v1', authenticated(identify));
  app.use(noNulInUrl);
  app.use(
    '/v1',
    ledgerRoutes({
      store,
      pool,
      inForce,
      proxies,
      streams,
      recall,
      metrics,
      clock,
      timers,
      systemNamespace,
      connected,
      told,
      ...(deps.bounds ? { bounds: deps.bounds } : {}),
    }),
  );
  app.use('/v1', gatewayRoutes({ authenticate: identify, metrics, systemNamespace, clock }));
  app.use('/v1', adminRoutes({ store, pool, connected, logger, clock }));
  if (told) app.use('/v1', operatorRoutes({ told, connected, store }));
  const unbooked = makeUnbookedSpend({ seedOf: (terms) => store.seedOf(terms, seed), monotonic: deps.monotonic });
  app.use('/v1', forManagement, managementRoutes({ store, pool, inForce, connected, streams, unbooked, clock }));
  app.use((request: Request) => {
    throw new RequestRefused(404, 'not_found', `nothing is served at ${request.method} of this path`);
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const { status, code, message, known, isOutage, isExpected, reason, retryAfterSeconds, faults } =
      toHttpRefusal(error);
    const { method, path } = request;
    const asking = askingOf(request);
    if (!known) logger.error({ err: error, method, path, status, code }, 'request failed');
    metrics.add('tollgate_server_refused_total', { reason });
    if (isOutage) outages.note({ reason, code, status, err: error });
    else if (!isExpected)
      refusals.note({ status, code, reason, instance: asking.instance ?? asking.caller?.name ?? '-', method, path });
    if (retryAfterSeconds !== null) response.set('Retry-After', String(retryAfterSeconds));
    if (response.headersSent) response.destroy();
    else response.status(status).json({ error: { code, message, ...(faults.length === 0 ? {} : { faults }) } });
  });

  let http: Server | null = null;
  /** Every server may: what one of them did, the others find done. */
  const keepStore = async (): Promise<void> => {
    const now = clock();
    await store.tend(now);
    const budgets = inForce
      .now()
      .budgets.filter(({ spec }) => spec.unresolvedPolicy === 'Release')
      .map(({ metadata }) => budgetName(metadata));
    for (const { id, amount, budget } of await store.releaseOverdue({ budgets, before: now - UNRESOLVED_MS }, now)) {
      logger.info({ resource: id, amount, budget, reason: 'unresolvedPolicy: Release' }, 'unresolved amount released');
    }
  };
  const notTended = (error: unknown): void => {
    logger.warn({ err: error }, 'pool not tended');
  };
  const tend = (): void => {
    pool.tend().catch(notTended);
    keepStore().catch((error: unknown) => {
      logger.warn({ err: error }, 'store not tended');
    });
    cancelTend = timers.after(TEND_MS, tend);
  };
  let cancelTend = timers.after(TEND_MS, tend);

  return {
    app,
    setResources,
    listen: async ({ host, port }) => {
      const server = createServer(
        {
          requestTimeout: REQUEST_MS,
          headersTimeout: HEADERS_MS,
          keepAliveTimeout: KEEP_ALIVE_MS,
          maxHeaderSize: 16_384,
        },
        app,
      );
      server.maxConnections = MOST_CONNECTIONS;
      http = server;
      await told?.start();
      connected.start();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      return { url: `http://${host.includes(':') ? `[${host}]` : host}:${String(bound)}` };
    },
    close: async () => {
      if (closed) return;
      closed = true;
      cancelTend();
      for (const response of unanswered) if (!response.headersSent) response.set('Connection', 'close');
      told?.stop();
      streams.stop();
      if (http) await stopListening(http, timers);
      await connected.stop().catch((err: unknown) => logger.warn({ err }, 'connected proxies not taken off'));
      await pool.stop();
      await store.sealEpoch(pool.epoch(), clock());
    },
  };
};

const stopListening = (server: Server, timers: Timers): Promise<void> =>
  new Promise((resolve) => {
    const cancel = timers.after(DRAIN_MS, () => {
      server.closeAllConnections();
    });
    // The streams have just ended: their connections are idle in a moment.
    const cancelIdle = timers.after(IDLE_MS, () => {
      server.closeIdleConnections();
    });
    server.close(() => {
      cancel();
      cancelIdle();
      resolve();
    });
    server.closeIdleConnections();
  });
