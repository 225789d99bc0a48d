/**
 * Builds and starts one operator: its probes answer at once, its caches fill, and what writes runs while it leads.
 * Everything opened here is closed by `stop`, last in, first out.
 */
import { makeReleases, startAdminServer, type Logger, type ReleaseReport, type Timers } from '@tollgate/runtime';
import type { OperatorConfig } from './config.ts';
import { findingOf } from './controllers/pods/audit.ts';
import { makeBypassCounts } from './controllers/pods/bypass-counts.ts';
import type { UseCounts } from './controllers/pods/use-counts.ts';
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
import type { CertificateRotator } from './webhook/certificates/certificate-rotator.ts';
import { allWatches, makeWatches, type Watches } from './watches.ts';

export interface OperatorStart {
  readonly config: Pick<
    OperatorConfig,
    'admin' | 'audit' | 'lease' | 'serviceAccount' | 'statusIntervalMs' | 'systemNamespace' | 'workers' | 'graceMs'
  >;
  readonly api: KubeApi;
  readonly client: ServerClient;
  readonly injection: InjectionFacts;
  readonly metrics: OperatorMetrics;
  /** Null: the webhook's certificates are somebody else's. */
  readonly rotator: Pick<CertificateRotator, 'run'> | null;
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
  /** Takes no more work in, lets what is under way end, gives the lease back; bounded by the grace period. */
  stop(): Promise<ReleaseReport>;
}

const COMPONENT = 'tollgate-operator';
const EVENTS_GRACE_MS = 3_000;

export const startOperator = async (start: OperatorStart): Promise<RunningOperator> => {
  const { config, api, injection, metrics, identity, timers, clock, now, random, log } = start;
  const { systemNamespace, lease } = config;
  const releases = makeReleases(timers);
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
  measurePods(metrics, { watches, injection, use: () => running?.podUse() ?? null });
  for (const watch of allWatches(watches)) watch.start();
  releases.add('watches', () => Promise.all(allWatches(watches).map((watch) => watch.stop())));

  releases.add('lease', () => elector.stop());
  releases.add('events', () => events.stop(EVENTS_GRACE_MS));
  releases.add('controllers', async () => (await term)?.stop());

  const client = guardedClient(start.client, { mayWrite: elector.isLeading, metrics });
  /** One term after the other: a new one begins when the former one has let go of all. */
  const end = async (former: LeaderTerm | null): Promise<null> => {
    running = null;
    await former?.stop();
    return null;
  };
  elector.run({
    onLeading: (signal) => {
      const ended = AbortSignal.any([signal, stopping.signal]);
      // Waits for no cache: pods are admitted with what it keeps fresh.
      void start.rotator?.run(ended);
      term = term
        .then(end)
        .then(() => startLeaderTerm({ ...start, ...config, client, watches, events }, ended))
        .then((started) => (running = started))
        .catch((err: unknown) => {
          if (!ended.aborted) log.error({ err }, 'the term could not begin');
          return null;
        });
    },
    // The API server may only have been away: the caches are warm, and this process may lead again.
    onLost: () => {
      if (!isStopping) term = term.then(end);
    },
  });

  return {
    adminUrl: admin.url,
    isLeading: elector.isLeading,
    stop: () => {
      isStopping = true;
      stopping.abort(new Error('the operator stops'));
      return releases.run(config.graceMs);
    },
  };
};

interface MeasuredPods {
  readonly watches: Watches;
  readonly injection: InjectionFacts;
  /** Null: this process does not lead, and asks the server nothing. */
  readonly use: () => UseCounts | null;
}

const measurePods = (metrics: OperatorMetrics, { watches, injection, use }: MeasuredPods): void => {
  const bypass = makeBypassCounts({
    watched: watches.watched.cache,
    injected: watches.injected.cache,
    namespaces: watches.namespaces.cache,
    ...injection,
    // Only those that lack the proxy are asked for here.
    callsDirectly: () => false,
  });
  metrics.source('tollgate_operator_pods', () => {
    const counts = { well: 0, outdated: 0, forged: 0, missing: 0 };
    for (const pod of watches.injected.cache.list()) counts[findingOf(pod, injection.audit)] += 1;
    counts.missing = bypass.lacking().length - counts.forged;
    return Object.entries({ ...counts, ...use() }).map(([state, value]) => ({ labels: { state }, value }));
  });
};
