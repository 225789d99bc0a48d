/** What runs while this process leads: the programming of the server, and the controllers. Ended as one. */
import { startKServeServices } from './controllers/llm-inference-service/kserve-services.ts';
import type { AuditConfig } from './config.ts';
import { makeBypassCounts } from './controllers/pods/bypass-counts.ts';
import { useCounts, type UseCounts } from './controllers/pods/use-counts.ts';
import { callsDirectly } from './controllers/pods/use-notes.ts';
import { makeStatusPublisher } from './controllers/status-publisher.ts';
import { keyOf, nameOf, type KubeObject } from './kube/kube-object.ts';
import type { ObjectCache } from './kube/object-cache.ts';
import { makeReflector } from './kube/reflector.ts';
import { makeControllers, type Controllers, type ControllersDeps } from './make-controllers.ts';
import { makeManifestAdmission } from './programming/admitted-manifest.ts';
import { makeCronJobs } from './programming/cron-jobs.ts';
import { carriesProxy } from './programming/pod-entries.ts';
import { startPodFindings } from './programming/pod-findings.ts';
import { startProgramming, type Programming } from './programming/programming.ts';
import type { ServerClient } from './programming/server-client.ts';
import { startServerWatch, type ServerWatch } from './programming/server-watch.ts';
import { wire } from './wiring.ts';
import { allWatches } from './watches.ts';

export interface LeaderTermDeps extends Pick<
  ControllersDeps,
  | 'watches'
  | 'api'
  | 'events'
  | 'injection'
  | 'systemNamespace'
  | 'serviceAccount'
  | 'workers'
  | 'timers'
  | 'clock'
  | 'now'
  | 'random'
  | 'log'
  | 'metrics'
> {
  readonly client: ServerClient;
  readonly statusIntervalMs: number;
  readonly audit: AuditConfig;
}

export interface LeaderTerm {
  /** For how long each reconcile that is under way has run. */
  running(): readonly number[];
  /** Null: the server has not been asked yet, or answers. */
  serverFault(): string | null;
  /** Pods that do not use the proxy which they carry, or not for all of their calls. */
  podUse(): UseCounts;
  /** Takes nothing more in, lets what is under way end. */
  stop(): Promise<void>;
}

/** Resolves once everything runs; ends early, with nothing running, where the signal aborts first. */
export const startLeaderTerm = async (deps: LeaderTermDeps, signal: AbortSignal): Promise<LeaderTerm | null> => {
  const { watches, api, client, injection, systemNamespace, timers, log } = deps;
  // What is not in the caches yet would be taken out of force.
  await Promise.race([Promise.all(allWatches(watches).map(({ synced }) => synced)), aborted(signal)]);
  if (signal.aborted) return null;

  let parts: {
    readonly controllers: Controllers;
    readonly programming: Programming;
    readonly server: ServerWatch;
  } | null = null;
  const kserve = startKServeServices({
    ...deps,
    reflect: (kind, transform) => makeReflector<KubeObject>({ ...deps, kind, transform }),
    onChange: () => {
      parts?.programming.kick();
      enqueueAll(watches.routes.cache, (key) => parts?.controllers.routes.enqueue(key));
    },
  });
  await Promise.race([kserve.ready, aborted(signal)]);
  if (signal.aborted) {
    await kserve.stop();
    return null;
  }

  const admission = makeManifestAdmission({ systemNamespace });
  const findings = startPodFindings({
    client,
    intervalMs: deps.audit.intervalMs,
    timers,
    log,
    onAnswer: (keys) => keys.forEach((key) => parts?.controllers.pods.enqueue(key)),
  });
  const bypass = makeBypassCounts({
    watched: watches.watched.cache,
    injected: watches.injected.cache,
    namespaces: watches.namespaces.cache,
    ...injection,
    callsDirectly: (key) => callsDirectly(findings.of(key)),
  });
  const budgets = watches.budgets.cache;
  const enqueueBudgets = (): void => enqueueAll(budgets, (key) => parts?.controllers.budgets.enqueue(key));
  const server = startServerWatch({
    client,
    intervalMs: deps.statusIntervalMs,
    timers,
    log,
    onBudgets: (keys) => keys.forEach((key) => parts?.controllers.budgets.enqueue(key)),
    onRoutes: (keys) => {
      for (const key of keys) parts?.controllers.routes.enqueue(key);
      enqueueAll(watches.services.cache, (key) => parts?.controllers.services.enqueue(key));
    },
    onTurn: () => {
      enqueueBudgets();
      if (server.fault() === null) parts?.programming.recheck();
    },
  });
  const programming = startProgramming({
    ...deps,
    budgets,
    routes: watches.routes.cache,
    services: watches.services.cache,
    namespaces: watches.namespaces.cache,
    pods: watches.injected.cache,
    kserve: kserve.addresses,
    admission,
    cronJobs: makeCronJobs({ api, log }),
    teamLabel: injection.teamLabel,
    proxyRepositories: injection.audit.proxyRepositories,
    onTaken: () => {
      enqueueBudgets();
      server.poke();
    },
  });
  const publisher = makeStatusPublisher({
    timers,
    clock: deps.clock,
    onFault: (offered, err) => {
      log.warn({ resource: offered, err }, 'a status could not be written');
      parts?.controllers.retry(offered);
    },
  });
  const controllers = makeControllers({
    ...deps,
    admission,
    server,
    programming,
    bypass,
    findings,
    unusedAfterMs: deps.audit.unusedAfterMs,
    publisher,
    kserve: kserve.addresses,
  });
  parts = { controllers, programming, server };
  const unwire = wire({ watches, controllers, systemNamespace });
  controllers.start();

  return {
    running: controllers.running,
    serverFault: () => server.fault()?.reason ?? null,
    podUse: () =>
      useCounts(
        watches.injected.cache.list().filter((pod) => carriesProxy(pod, injection.audit)),
        { findingOf: findings.of, now: deps.now(), unusedAfterMs: deps.audit.unusedAfterMs },
      ),
    stop: async () => {
      unwire();
      const running = [programming, server, kserve, findings, controllers];
      await Promise.all(running.map((part) => part.stop()));
      await publisher.stop();
      bypass.close();
    },
  };
};

const enqueueAll = (cache: ObjectCache<KubeObject>, enqueue: (key: string) => void): void => {
  for (const object of cache.list()) enqueue(keyOf(nameOf(object)));
};

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
