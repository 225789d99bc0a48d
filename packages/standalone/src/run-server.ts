/**
 * The server as a process of its own, over a PostgreSQL that others may share: several of them side by side serve the same
 * proxies. What holds is in a folder of manifests, or is told by the operator of a cluster.
 */
import { randomUUID } from 'node:crypto';
import { manifestFaultText } from '@tollgate/api/schema';
import { makeReleases, systemTimers, type ListenAddress, type Logger, type ReleaseReport } from '@tollgate/runtime';
import type { ServiceAccountName } from '@tollgate/server';
import { openStore } from '@tollgate/store';
import { openControlPlane, type ControlPlane } from './control-plane.ts';
import { DATABASE_REPLACED } from './database-replaced.ts';
import { errorCode, errorMessage } from './error-code.ts';
import { checkFolder } from './manifests/check-folder.ts';
import { faultList } from './manifests/fault-list.ts';
import { watchManifests, type ManifestWatch } from './manifests/watch-manifests.ts';
import type { SharedPool } from './shared-pool.ts';
import { StandaloneError } from './standalone-error.ts';
import { reviewerFrom, type TokenSettings } from './token-settings.ts';

export interface ServerProcessOptions {
  /** A watched folder of manifests, or one file; null: the operator tells. */
  readonly resources: string | null;
  /** The one ServiceAccount that may tell; null: none may. */
  readonly operator: ServiceAccountName | null;
  readonly databaseUrl: string;
  readonly databaseConnections: number;
  /** Null: a pool of this server's own, in memory. */
  readonly redisUrl: string | null;
  /** How long to wait for a database, and a Redis, that are not there yet. */
  readonly waitMs: number;
  readonly listen: ListenAddress;
  readonly tokens: TokenSettings;
  readonly systemNamespace: string;
  readonly graceMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Logger;
}

export interface ServerProcess {
  readonly url: string;
  /** Why it cannot go on, if ever: who keeps processes running starts it anew. */
  readonly broken: Promise<string>;
  /** Answers what was asked, ends the streams, lets the pool go; bounded by the grace period. */
  stop(): Promise<ReleaseReport>;
}

/** Of the database's connections; the rest is for leases, which calls wait for. */
const BATCH_SHARE = 0.6;

export const runServer = async (options: ServerProcessOptions): Promise<ServerProcess> => {
  const { resources, listen, systemNamespace, graceMs, now, log } = options;
  const releases = makeReleases(systemTimers);
  const broken = Promise.withResolvers<string>();
  try {
    const authenticate = reviewerFrom(options);
    if (resources !== null) await checkFolder(resources);
    const store = await openStore({
      connectionString: options.databaseUrl,
      max: options.databaseConnections,
      wait: {
        upToMs: options.waitMs,
        onWaiting: ({ waitedMs, retryInMs, reason }) =>
          log.warn({ err: reason, waitMs: waitedMs, retryInMs }, 'waiting for the database'),
      },
      onIdleError: (err) => log.warn({ err }, 'database connection lost'),
    }).catch((cause: unknown) => {
      throw new StandaloneError('config', `the database cannot be opened: ${errorMessage(cause)}`, {
        todo: 'check DATABASE_URL',
        cause,
      });
    });
    releases.add('store', () => store.close());
    const shared = await sharedPool(options, store.organisation);
    if (shared) releases.add('redis', () => shared.release());
    const controlPlane = await openControlPlane({
      store,
      authenticate,
      loopbackOnly: isLoopback(listen.host),
      batches: Math.max(1, Math.floor(options.databaseConnections * BATCH_SHARE)),
      systemNamespace,
      mockUrl: null,
      now: shared?.now ?? now,
      log,
      keys: null,
      isToldByOperator: resources === null,
      server: randomUUID(),
      onDatabaseReplaced: () => broken.resolve(DATABASE_REPLACED),
      ...(shared ? { makePool: shared.makePool, recalls: shared.recalls } : {}),
    });
    releases.add('server', () => controlPlane.close());
    if (resources !== null) {
      const watched = await watchFolder(resources, controlPlane, log);
      releases.add('resources folder', () => watched.close());
    }
    const { url } = await controlPlane.listen(listen).catch((error: unknown) => {
      throw listenError(error, listen);
    });
    return { url, broken: broken.promise, stop: () => releases.run(graceMs) };
  } catch (error) {
    await releases.run(graceMs);
    throw error;
  }
};

const sharedPool = async (
  { redisUrl, waitMs, now, log }: ServerProcessOptions,
  organisation: string,
): Promise<SharedPool | null> => {
  if (redisUrl === null) return null;
  const { openSharedPool } = await import('./shared-pool.ts');
  return openSharedPool({ redisUrl, organisation, waitMs, now, timers: systemTimers, log });
};

const watchFolder = (root: string, controlPlane: ControlPlane, log: Logger): Promise<ManifestWatch> =>
  watchManifests({
    root,
    onResources: async (all) => {
      await controlPlane.apply(all);
      log.info({ dir: root, count: all.length }, 'manifests in force');
    },
    onFaults: (faults) => {
      if (faults.length === 0) log.info({ dir: root }, 'manifests are well again');
      else log.warn({ dir: root, faults: faultList(faults.map(manifestFaultText)) }, 'manifests refused');
    },
    onTrouble: (reason) => log.warn({ dir: root, reason }, 'resources folder not read'),
  });

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

const listenError = (error: unknown, { host, port }: ListenAddress): unknown => {
  const code = errorCode(error);
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return error;
  return new StandaloneError('port-in-use', `${host}:${String(port)} cannot be listened on (${code})`, {
    todo: 'choose another address with TOLLGATE_LISTEN',
    cause: error,
  });
};
