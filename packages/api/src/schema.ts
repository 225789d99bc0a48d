/** The zod side of this package, behind its own subpath so that the proxy starts without zod. */
export { API_VERSION, GROUP, KINDS, type Kind } from './v1alpha1/group.ts';
export type { CelRule, KindMeta, KubernetesMeta, PrinterColumn } from './v1alpha1/kubernetes-schema.ts';
export { ObjectMetaSchema, type ObjectMeta } from './v1alpha1/metadata.ts';
export { ConditionSchema, type Condition } from './v1alpha1/conditions.ts';
export {
  TokenBudgetSchema,
  TokenBudgetSpecSchema,
  TokenBudgetStatusSchema,
  type TokenBudget,
  type TokenBudgetLimit,
  type TokenBudgetSpec,
  type TokenBudgetStatus,
} from './v1alpha1/token-budget.ts';
export {
  ModelRouteSchema,
  ModelRouteSpecSchema,
  ModelRouteStatusSchema,
  type ModelRoute,
  type ModelRouteBackend,
  type ModelRouteRule,
  type ModelRouteStatus,
} from './v1alpha1/model-route.ts';
export {
  LLMInferenceServiceSchema,
  LLMInferenceServiceSpecSchema,
  LLMInferenceServiceStatusSchema,
  type LLMInferenceService,
  type LLMInferenceServiceStatus,
} from './v1alpha1/llm-inference-service.ts';
export { manifestTitle, parseManifest, type ManifestResult, type Resource } from './manifest.ts';
export {
  manifestFaultText,
  parseManifestFiles,
  parseManifests,
  type LocatedResource,
  type ManifestFault,
  type ManifestFile,
  type ManifestsResult,
} from './manifest-yaml.ts';
