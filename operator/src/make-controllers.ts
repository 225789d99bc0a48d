/** The four controllers of a term, each with its queue. */
import type { Logger, Timers } from '@tollgate/runtime';
import { serviceReconciler } from './controllers/llm-inference-service/controller.ts';
import { routeReconciler } from './controllers/model-route/controller.ts';
import { makeRefLookup } from './controllers/model-route/ref-lookup.ts';
import { podAuditor } from './controllers/pods/auditor.ts';
import { makeProspects } from './controllers/pods/prospects.ts';
import { useAuditor } from './controllers/pods/use-auditor.ts';
import type { BypassCounts } from './controllers/pods/bypass-counts.ts';
import type { StatusPublisher } from './controllers/status-publisher.ts';
import { budgetReconciler } from './controllers/token-budget/controller.ts';
import type { InjectionFacts } from './injection-facts.ts';
import { INFERENCE_SERVICES, MODEL_ROUTES, TOKEN_BUDGETS } from './kinds.ts';
import type { EventRecorder } from './kube/event-recorder.ts';
import type { KubeApi } from './kube/kube-api.ts';
import { keyOf } from './kube/kube-object.ts';
import { makeStatusWriter } from './kube/status-writer.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { ManifestAdmission } from './programming/admitted-manifest.ts';
import type { KServeAddress } from './programming/inference-targets.ts';
import type { PodFindings } from './programming/pod-findings.ts';
import type { Programming } from './programming/programming.ts';
import type { ServerWatch } from './programming/server-watch.ts';
import { makeController, type Controller, type Reconcile } from './reconcile/controller.ts';
import type { Watches } from './watches.ts';

export interface Controllers {
  readonly budgets: Controller;
  readonly routes: Controller;
  readonly services: Controller;
  readonly pods: Controller;
  /** The status that was offered under this name was not written. */
  retry(offered: string): void;
  start(): void;
  stop(): Promise<void>;
  /** For how long each reconcile that is under way has run. */
  running(): readonly number[];
}

export interface ControllersDeps {
  readonly watches: Watches;
  readonly api: KubeApi;
  readonly events: EventRecorder;
  readonly injection: InjectionFacts;
  readonly systemNamespace: string;
  /** `namespace/name` of the operator's own ServiceAccount. */
  readonly serviceAccount: string;
  readonly workers: number;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
  readonly admission: ManifestAdmission;
  readonly server: ServerWatch;
  readonly programming: Programming;
  readonly bypass: BypassCounts;
  readonly findings: Pick<PodFindings, 'of'>;
  readonly unusedAfterMs: number;
  readonly publisher: StatusPublisher;
  readonly kserve: () => readonly KServeAddress[];
}

/** One field manager a kind: each owns the whole status that it writes. */
const MANAGER = {
  budgets: 'tollgate-token-budgets',
  routes: 'tollgate-model-routes',
  services: 'tollgate-inference-services',
} as const;

/** How soon a status that was not written is decided anew. */
const RETRY_MS = 1_000;

export const makeControllers = (deps: ControllersDeps): Controllers => {
  const { watches, api, admission, server, publisher, events, injection, now, clock, metrics } = deps;
  const budgetsCache = watches.budgets.cache;
  const controller = (name: string, reconcile: Reconcile): Controller => makeController({ ...deps, name, reconcile });
  const writer = (fieldManager: string) => makeStatusWriter({ api, fieldManager, metrics });

  const budgets = controller(
    'token-budgets',
    budgetReconciler({
      budgets: budgetsCache,
      admission,
      server,
      programming: deps.programming,
      bypass: deps.bypass,
      publisher,
      writer: writer(MANAGER.budgets),
      events,
      now,
    }),
  );
  const routes = controller(
    'model-routes',
    routeReconciler({
      routes: watches.routes.cache,
      admission,
      server,
      refs: makeRefLookup({ api, services: watches.services.cache, kserve: deps.kserve, clock }),
      publisher,
      writer: writer(MANAGER.routes),
      operatorAccount: deps.serviceAccount.replace('/', ':'),
      now,
    }),
  );
  const services = controller(
    'inference-services',
    serviceReconciler({
      services: watches.services.cache,
      deployments: watches.deployments.cache,
      admission,
      routes: server.routes,
      api,
      fieldManager: MANAGER.services,
      publisher,
      writer: writer(MANAGER.services),
      now,
    }),
  );
  const onPods = (namespace: string): void => {
    deps.bypass.forget(namespace);
    for (const { metadata } of countingPodsOf(namespace)) budgets.enqueue(keyOf(metadata));
  };
  const auditPresence = podAuditor({
    watched: watches.watched.cache,
    injected: watches.injected.cache,
    namespaces: watches.namespaces.cache,
    audit: injection.audit,
    events,
    prospectOf: makeProspects({ api, settings: injection.settings }),
    onChange: onPods,
  });
  const auditUse = useAuditor({ ...deps, injected: watches.injected.cache, onChange: onPods });
  const pods = controller('pods', async (key, signal) => {
    await auditPresence(key, signal);
    return auditUse(key, signal);
  });
  /** A namespace's own budgets, and those that may reach it. */
  const countingPodsOf = (namespace: string) => [
    ...budgetsCache.list(namespace),
    ...(namespace === deps.systemNamespace ? [] : budgetsCache.list(deps.systemNamespace)),
  ];
  const all = [budgets, routes, services, pods];
  const byKind = new Map([
    [TOKEN_BUDGETS.kind, budgets],
    [MODEL_ROUTES.kind, routes],
    [INFERENCE_SERVICES.kind, services],
  ]);

  return {
    budgets,
    routes,
    services,
    pods,
    retry: (offered) => {
      const [kind = '', key = ''] = offered.split(' ');
      byKind.get(kind)?.enqueue(key, RETRY_MS);
    },
    start: () => all.forEach((each) => each.start()),
    stop: async () => {
      await Promise.all(all.map((each) => each.stop()));
    },
    running: () => all.flatMap((each) => each.running()),
  };
};
