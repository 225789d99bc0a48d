export { callerFor, type CallerRules, type ServiceAccountName } from './auth/caller-for.ts';
export { kubernetesTokenReview, type KubernetesTokenReviewDeps } from './auth/kubernetes-token-review.ts';
export { KubernetesUnavailable, makeKubernetesApi, type KubernetesApi } from './auth/kubernetes-api.ts';
export { signedToken, type SignedTokenDeps } from './auth/signed-token.ts';
export { signingKeys } from './auth/signing-keys.ts';
export { adminToken, bearerToken } from './auth/static-token.ts';
export {
  firstOf,
  type Caller,
  type TokenFault,
  type TokenReview,
  type TokenReviewer,
  type WorkloadIdentity,
} from './auth/token-review.ts';
export { SERVER_METRICS } from './metrics.ts';
export type { Attachment } from './connected/attachments.ts';
export { namespaceLabels, type NamespaceLabels, type Resources } from './resources/resources-in-force.ts';
export type { LedgerBounds } from './routes/ledger-routes.ts';
export { buildServer, type PoolDeps, type RecallChannel, type ServerDeps, type TollgateServer } from './server.ts';
export { spanText, type BudgetColumns, type BudgetReason, type BudgetView } from './status/budget-status.ts';
export type { LimitFigures } from './status/limit-figures.ts';
export type { BackendView, RouteView } from './status/route-view.ts';
