/** Everything that the operator keeps in memory of the cluster. Also in processes that do not lead, so that another can at once. */
import type { Logger, Timers } from '@tollgate/runtime';
import { SERVICE_LABEL } from './controllers/llm-inference-service/workload.ts';
import { ACTIVE_PODS, toWatchedPod, WATCHED_SELECTOR, type WatchedPod } from './controllers/pods/watched-pod.ts';
import { DEPLOYMENTS, INFERENCE_SERVICES, MODEL_ROUTES, NAMESPACES, PODS, TOKEN_BUDGETS } from './kinds.ts';
import type { KubeApi, Selection } from './kube/kube-api.ts';
import type { KubeKind, KubeObject } from './kube/kube-object.ts';
import { makeReflector, type Reflector } from './kube/reflector.ts';
import type { OperatorMetrics } from './metrics.ts';
import { INJECTED_SELECTOR, toInjectedPod, type InjectedPod } from './programming/injected-pod.ts';

export interface Watches {
  readonly budgets: Reflector<KubeObject>;
  readonly routes: Reflector<KubeObject>;
  readonly services: Reflector<KubeObject>;
  readonly namespaces: Reflector<KubeObject>;
  readonly deployments: Reflector<KubeObject>;
  /** Pods with the injector's mark. */
  readonly injected: Reflector<InjectedPod>;
  /** All others. */
  readonly watched: Reflector<WatchedPod>;
}

export interface WatchesDeps {
  readonly api: KubeApi;
  readonly timers: Timers;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: OperatorMetrics;
}

export const makeWatches = (deps: WatchesDeps): Watches => {
  const plain = (kind: KubeKind, selection: Selection = {}): Reflector<KubeObject> =>
    makeReflector<KubeObject>({ ...deps, kind, selection });
  return {
    budgets: plain(TOKEN_BUDGETS),
    routes: plain(MODEL_ROUTES),
    services: plain(INFERENCE_SERVICES),
    namespaces: plain(NAMESPACES, { metadataOnly: true }),
    deployments: plain(DEPLOYMENTS, { labelSelector: SERVICE_LABEL }),
    // Whole pods, of which little is kept: what carries the proxy is said by the containers, not by a label.
    injected: makeReflector<InjectedPod>({
      ...deps,
      kind: PODS,
      selection: { labelSelector: INJECTED_SELECTOR, fieldSelector: ACTIVE_PODS },
      transform: toInjectedPod,
    }),
    watched: makeReflector<WatchedPod>({
      ...deps,
      kind: PODS,
      selection: { labelSelector: WATCHED_SELECTOR, fieldSelector: ACTIVE_PODS, metadataOnly: true },
      transform: toWatchedPod,
    }),
  };
};

export const allWatches = (watches: Watches): readonly Reflector<KubeObject>[] => [
  watches.budgets,
  watches.routes,
  watches.services,
  watches.namespaces,
  watches.deployments,
  watches.injected,
  watches.watched,
];
