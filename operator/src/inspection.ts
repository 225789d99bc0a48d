/** What a person looks at a cluster with, in the operator's own words: kinds, audits, certificates and grants. */
export { findingOf, lacksProxy, namespaceMode, oddWordOf, type AuditContext } from './controllers/pods/audit.ts';
export type { Prospect } from './controllers/pods/missing-notes.ts';
export { makeProspects } from './controllers/pods/prospects.ts';
export { ACTIVE_PODS, toWatchedPod, WATCHED_SELECTOR, type WatchedPod } from './controllers/pods/watched-pod.ts';
export { secretGrantObjects, type SecretGrant } from './controllers/model-route/secret-grant.ts';
export {
  DEPLOYMENTS,
  INFERENCE_SERVICES,
  JOBS,
  MODEL_ROUTES,
  NAMESPACES,
  PODS,
  SECRETS,
  TOKEN_BUDGETS,
} from './kinds.ts';
export { INJECTED_SELECTOR, toInjectedPod, type InjectedPod } from './programming/injected-pod.ts';
export { isValidAt, type CertificateFacts } from './webhook/certificates/certificate-facts.ts';
export {
  publishedBundles,
  WEBHOOK_CONFIGURATIONS,
  type WebhookConfiguration,
} from './webhook/certificates/certificate-store.ts';
export { minorOf } from './webhook/kubernetes-minor.ts';
export { toKeyedRoute } from './webhook/route-keys.ts';
export { namedSettings } from './webhook/settings-file.ts';
