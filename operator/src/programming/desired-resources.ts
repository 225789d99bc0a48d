/** The whole set that the server is to have in force, from what the cluster holds. Pure. */
import type { LLMInferenceService, ModelRoute, TokenBudget } from '@tollgate/api';
import type { KubeObject } from '../kube/kube-object.ts';
import { withInferenceTargets, type KServeAddress } from './inference-targets.ts';
import type { ManifestAdmission, ManifestKind } from './admitted-manifest.ts';
import type { ServerResources } from './server-client.ts';

export interface ClusterResources {
  readonly budgets: readonly KubeObject[];
  readonly routes: readonly KubeObject[];
  readonly services: readonly KubeObject[];
  readonly kserve: readonly KServeAddress[];
  readonly namespaces: readonly KubeObject[];
}

/** What is invalid is left out and hinders nothing else; its own status says why. The order does not depend on the cache's. */
export const desiredResources = (cluster: ClusterResources, admission: ManifestAdmission): ServerResources => {
  const budgets = accepted('TokenBudget', cluster.budgets, admission);
  const inferenceServices = accepted('LLMInferenceService', cluster.services, admission);
  const routes = accepted('ModelRoute', cluster.routes, admission).map((route) =>
    withInferenceTargets(route, { services: inferenceServices, kserve: cluster.kserve }),
  );
  return { budgets, routes, inferenceServices, namespaces: namespacesFor(budgets, cluster.namespaces) };
};

interface OfKind {
  readonly TokenBudget: TokenBudget;
  readonly ModelRoute: ModelRoute;
  readonly LLMInferenceService: LLMInferenceService;
}

const accepted = <K extends ManifestKind>(
  kind: K,
  objects: readonly KubeObject[],
  admission: ManifestAdmission,
): OfKind[K][] =>
  objects
    // What is on its way out is in force until it is gone.
    .map((object) => admission.admit(kind, object))
    .flatMap((verdict) => (verdict.accepted ? [verdict.resource] : []))
    .sort((a, b) => byText(fullName(a), fullName(b)));

/** Only the labels that some budget asks for: others come and go without the server being told. */
const namespacesFor = (
  budgets: readonly TokenBudget[],
  namespaces: readonly KubeObject[],
): ServerResources['namespaces'] => {
  const keys = new Set(budgets.flatMap(({ spec }) => Object.keys(spec.namespaceSelector?.matchLabels ?? {})));
  return Object.fromEntries(
    namespaces
      .map(({ metadata: { name, labels = {} } }) => {
        const asked = Object.entries(labels).filter(([key]) => keys.has(key));
        return [name, { labels: Object.fromEntries(asked.sort(([a], [b]) => byText(a, b))) }] as const;
      })
      .sort(([a], [b]) => byText(a, b)),
  );
};

const fullName = ({ metadata }: TokenBudget | ModelRoute | LLMInferenceService): string =>
  `${metadata.namespace}/${metadata.name}`;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
