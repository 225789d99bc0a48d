/** The kinds that the operator reads and writes, as the API server names them. */
import type { KubeKind } from './kube/kube-object.ts';

const tollgate = (kind: string, plural: string): KubeKind => ({
  group: 'tollgate.dev',
  version: 'v1alpha1',
  kind,
  plural,
  namespaced: true,
});

const core = (kind: string, plural: string, namespaced = true): KubeKind => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  namespaced,
});

export const TOKEN_BUDGETS = tollgate('TokenBudget', 'tokenbudgets');
export const MODEL_ROUTES = tollgate('ModelRoute', 'modelroutes');
export const INFERENCE_SERVICES = tollgate('LLMInferenceService', 'llminferenceservices');

export const PODS = core('Pod', 'pods');
export const NAMESPACES = core('Namespace', 'namespaces', false);
export const SECRETS = core('Secret', 'secrets');
export const SERVICES = core('Service', 'services');

export const DEPLOYMENTS: KubeKind = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};

export const JOBS: KubeKind = { group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', namespaced: true };

/** KServe's own kind: read where it is installed, the newest version that is served. */
export const KSERVE_SERVICES: readonly KubeKind[] = ['v1alpha2', 'v1alpha1'].map((version) => ({
  group: 'serving.kserve.io',
  version,
  kind: 'LLMInferenceService',
  plural: 'llminferenceservices',
  namespaced: true,
}));
