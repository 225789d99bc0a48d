/**
 * Builds and starts one operator: its probes answer at once, its caches fill, and what writes runs while it leads.
 * Everything opened here is closed by `stop`, last in, first out.
 */
import { makeReleases, startAdminServer, type Logger, type ReleaseReport, type Timers } from '@tollgate/runtime';
import type { OperatorConfig } from './config.ts';
import { findingOf } from './controllers/pods/audit.ts';
import { makeBypassCounts } from './controllers/pods/bypass-counts.ts';
import { liveness, readiness, type HealthFacts } from './health.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { makeEventRecorder } from './kube/event-recorder.ts';
import type { KubeApi } from './kube/kube-api.ts';
import { makeLeaderElector } from './kube/leader-elector.ts';
import { measureReflectors } from './kube/reflector.ts';
import { startLeaderTerm, type LeaderTerm } from './leader-term.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { ServerClient } from './programming/server-client.ts';
import { guardedClient } from './programming/guarded-client.ts';
import { allWatches, makeWatches, type Watches } from './watches.ts';

export interface OperatorStart {
  readonly config: Pick<
    OperatorConfig,
    'admin' | 'lease' | 'serviceAccount' | 'statusIntervalMs' | 'systemNamespace' | 'workers' | 'graceMs'
  >;
  readonly api: KubeApi;
  readonly client: ServerClient;
  readonly injection: InjectionFacts;
  readonly metrics: OperatorMetrics;
  /** Of this process and no other. */
  readonly identity: string;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Logger;
}

export interface RunningOperator {
  readonly adminUrl: string;
  isLeading(): boolean;
  /** Settles, with a sentence, when it cannot go on: it led and no longer does. Never, once it is stopping. */
  readonly broken: Promise<string>;
  /** Takes no more work in, lets what is under way end, gives the lease back; bounded by the grace period. */
  stop(): Promise<ReleaseReport>;
}

const COMPONENT = 'tollgate-operator';
const EVENTS_GRACE_MS = 3_000;

export const startOperator = async (start: OperatorStart): Promise<RunningOperator> => {
  const { config, api, injection, metrics, identity, timers, clock, now, random, log } = start;
  const { systemNamespace, lease } = config;
  const releases = makeReleases(timers);
  const broken = Promise.withResolvers<string>();
  const watches = makeWatches({ api, timers, clock, random, log, metrics });
  let term: Promise<LeaderTerm | null> = Promise.resolve(null);
  let running: LeaderTerm | null = null;
  let isStopping = false;
  const stopping = new AbortController();

  const facts = (): HealthFacts => ({
    watches: allWatches(watches).map((watch) => ({
      kind: watch.kind.kind,
      hasSynced: watch.hasSynced(),
      stalenessMs: watch.stalenessMs(),
    })),
    runningMs: running?.running() ?? [],
    isStopping,
  });
  const recorder = { api, timers, clock, wallClock: now, random, log, metrics };
  const events = makeEventRecorder({ ...recorder, component: COMPONENT, instance: identity });
  const elector = makeLeaderElector({
    ...recorder,
    namespace: systemNamespace,
    name: lease.name,
    identity,
    leaseMs: lease.durationMs,
    renewMs: lease.renewMs,
    retryMs: lease.retryMs,
  });
  const admin = await startAdminServer({
    listen: config.admin,
    probes: { live: () => liveness(facts()), ready: () => readiness(facts()), started: () => ({ ok: true }) },
    metrics,
    status: () => ({ leading: elector.isLeading(), server: running?.serverFault() ?? null, ready: readiness(facts()) }),
  });
  releases.add('admin port', () => admin.close());

  measureReflectors(metrics, allWatches(watches));
  measurePods(metrics, watches, injection);
  for (const watch of allWatches(watches)) watch.start();
  releases.add('watches', () => Promise.all(allWatches(watches).map((watch) => watch.stop())));

  releases.add('lease', () => elector.stop());
  releases.add('events', () => events.stop(EVENTS_GRACE_MS));
  releases.add('controllers', async () => (await term)?.stop());

  const client = guardedClient(start.client, { mayWrite: elector.isLeading, metrics });
  elector.run({
    onLeading: (signal) => {
      const ended = AbortSignal.any([signal, stopping.signal]);
      term = startLeaderTerm({ ...start, ...config, client, watches, events }, ended)
        .then((started) => (running = started))
        .catch((err: unknown) => {
          if (!ended.aborted) log.error({ err }, 'the term could not begin');
          return null;
        });
    },
    onLost: () => {
      if (!isStopping) broken.resolve('another process leads now, or soon will');
    },
  });

  return {
    adminUrl: admin.url,
    isLeading: elector.isLeading,
    broken: broken.promise,
    stop: () => {
      isStopping = true;
      stopping.abort(new Error('the operator stops'));
      return releases.run(config.graceMs);
    },
  };
};

const measurePods = (metrics: OperatorMetrics, watches: Watches, injection: InjectionFacts): void => {
  const bypass = makeBypassCounts({
    watched: watches.watched.cache,
    namespaces: watches.namespaces.cache,
    ...injection,
  });
  metrics.source('tollgate_operator_pods', () => {
    const counts = { well: 0, outdated: 0, forged: 0, missing: bypass.pods().length };
    for (const pod of watches.injected.cache.list()) counts[findingOf(pod, injection.audit)] += 1;
    return Object.entries(counts).map(([state, value]) => ({ labels: { state }, value }));
  });
};
