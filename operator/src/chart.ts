/** What the chart and the documentation say in the words of the programs themselves. No client is loaded with it. */
export { INJECT, INJECTED, INJECTION, SETTING, STATUS } from './injection/names.ts';
export type { SkipReason } from './injection/reasons.ts';
export { SETTING_MEANINGS } from './injection/setting-meanings.ts';
export { InjectionSettingsSchema } from './injection/settings.ts';
export { KUBE_METRICS } from './kube/metrics.ts';
export { OPERATOR_METRICS } from './metrics.ts';
export { OPERATOR_CLUSTER_RULES, operatorNamespaceRules, type RbacRule } from './rbac.ts';
export {
  injectorClusterRules,
  injectorNamespaceRules,
  rotatorClusterRules,
  rotatorNamespaceRules,
} from './webhook/injector-rbac.ts';
export { INJECTOR_METRICS } from './webhook/metrics.ts';
export { webhookConfiguration } from './webhook/webhook-configuration.ts';
