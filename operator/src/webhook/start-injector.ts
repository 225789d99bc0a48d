/**
 * Puts the injector together: settings file, ModelRoutes, certificate, admission server, admin port. It serves in every
 * replica, since there is nothing of which there must be one.
 */
import {
  makeMetrics,
  makeReleases,
  startAdminServer,
  type Logger,
  type ProbeAnswer,
  type ReleaseReport,
  type Timers,
} from '@tollgate/runtime';
import { MODEL_ROUTES } from '../kinds.ts';
import { makeEventRecorder } from '../kube/event-recorder.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import { KUBE_METRICS } from '../kube/metrics.ts';
import { pauseWith } from '../kube/pause.ts';
import { makeReflector } from '../kube/reflector.ts';
import { startAdmissionServer } from './admission-server.ts';
import { makeServingCertificate } from './certificates/serving-certificate.ts';
import type { InjectorConfig } from './injector-config.ts';
import { INJECTOR_METRICS } from './metrics.ts';
import { toKeyedRoute, type KeyedRoute } from './route-keys.ts';
import { watchInjectionSettings } from './settings-file.ts';
import { makeSkipEvents } from './skip-events.ts';

export interface InjectorDeps {
  readonly config: InjectorConfig;
  /** Made with the metrics of this process, which the client counts into. */
  readonly connect: (metrics: InjectorProcessMetrics) => KubeApi;
  /** Of the API server's version 1.x; null where it cannot be asked. */
  readonly kubernetesMinor: () => Promise<number | null>;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly random: () => number;
  readonly instance: string;
  readonly log: Logger;
}

export interface Injector {
  /** `https://…`. */
  readonly url: string;
  readonly adminUrl: string;
  /** Not ready first, then no new connections, then what is under way. */
  stop(): Promise<ReleaseReport>;
}

export const INJECTOR_PROCESS_METRICS = [...INJECTOR_METRICS, ...KUBE_METRICS] as const;
export type InjectorProcessMetrics = ReturnType<typeof makeMetrics<typeof INJECTOR_PROCESS_METRICS>>;

export const startInjector = async (deps: InjectorDeps): Promise<Injector> => {
  const { config, timers, clock, wallClock, random, log } = deps;
  const metrics = makeMetrics(INJECTOR_PROCESS_METRICS);
  const releases = makeReleases(timers);
  const running = new AbortController();
  let isDraining = false;

  // 1. What pods get; a faulty file stops here, before a port is opened.
  const settings = watchInjectionSettings({
    file: config.injectionFile,
    timers,
    log,
    onFault: () => metrics.add('tollgate_injection_settings_faults_total', {}),
  });
  try {
    const api = deps.connect(metrics);
    const routes = makeReflector<KeyedRoute>({
      api,
      kind: MODEL_ROUTES,
      transform: toKeyedRoute,
      timers,
      clock,
      random,
      log,
      metrics,
    });
    const events = makeEventRecorder({
      api,
      timers,
      clock,
      wallClock,
      random,
      log,
      metrics,
      component: 'tollgate-injector',
      instance: deps.instance,
    });
    releases.add('events', () => events.stop(1_000));
    const minor = await deps.kubernetesMinor();

    // 2. The port is bound at once; without a certificate no handshake succeeds.
    const server = await startAdmissionServer({
      listen: config.listen,
      log,
      clock,
      settings: settings.current,
      routeKeys: (namespace) => routes.cache.list(namespace).map(({ keys }) => keys),
      kubernetesMinor: () => minor,
      observe: {
        decided: (outcome, reason) => metrics.add('tollgate_injections_total', { outcome, reason }),
        skipped: makeSkipEvents(events),
        answered: (code, seconds) => {
          metrics.add('tollgate_admission_answers_total', { code: String(code) });
          metrics.observe('tollgate_admission_seconds', {}, seconds);
        },
        failed: () => metrics.add('tollgate_admission_failures_total', {}),
      },
    });
    releases.add('admission server', () => server.close());

    // 3. The certificate, and then again and again.
    const certificate = makeServingCertificate({
      api,
      names: {
        namespace: config.systemNamespace,
        tlsSecret: config.tlsSecret,
        configuration: config.configuration,
      },
      serve: server.serve,
      clock: wallClock,
      timers,
      log,
    });
    metrics.source('tollgate_webhook_certificate_expiry_seconds', () => {
      const at = certificate.expiresAt();
      return at === null ? [] : [{ labels: {}, value: (at - wallClock()) / 1_000 }];
    });
    routes.start();
    releases.add('routes', () => routes.stop());
    void certificate.run(running.signal);
    void settings.run(running.signal);
    releases.add('watches', () => running.abort());

    // 4. Probes last: who reads them may send reviews at once.
    const ready = (): ProbeAnswer => {
      if (isDraining) return { ok: false, reason: 'draining' };
      // Without them a pod would start without its keys.
      if (!routes.hasSynced()) return { ok: false, reason: 'the ModelRoutes are not read yet' };
      return certificate.ready();
    };
    let hasBeenReady = false;
    const admin = await startAdminServer({
      listen: config.admin,
      metrics,
      probes: {
        live: () => ({ ok: true }),
        ready,
        started: () => {
          hasBeenReady ||= ready().ok;
          return hasBeenReady ? { ok: true } : ready();
        },
      },
    });
    // Closed last, so that whoever asks is told that we drain.
    const stop = async (): Promise<ReleaseReport> => {
      isDraining = true;
      server.drain();
      await pauseWith(timers)(config.drainMs, new AbortController().signal);
      const report = await releases.run(config.graceMs);
      await admin.close();
      return report;
    };
    const { host, port } = server.address;
    return { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, adminUrl: admin.url, stop };
  } catch (error) {
    running.abort();
    await releases.run(config.graceMs);
    throw error;
  }
};
