/** What every process may import: names, types and the check of snapshots. No zod at run time; that is `@tollgate/api/schema`. */
export * from './snapshot.ts';
export { checkSnapshot, type SnapshotCheck } from './snapshot-check.ts';
export { pathText, type Fault } from './fault.ts';
export { API_VERSION, GROUP, KINDS, type Kind } from './v1alpha1/group.ts';
export type { Condition } from './v1alpha1/conditions.ts';
export type { ObjectMeta } from './v1alpha1/metadata.ts';
export type { TokenBudget, TokenBudgetLimit, TokenBudgetSpec, TokenBudgetStatus } from './v1alpha1/token-budget.ts';
export type { ModelRoute, ModelRouteBackend, ModelRouteRule, ModelRouteStatus } from './v1alpha1/model-route.ts';
export type { LLMInferenceService, LLMInferenceServiceStatus } from './v1alpha1/llm-inference-service.ts';
export type { Resource } from './manifest.ts';
