/** What the chart renders in the words of the programs themselves. Pure: no client is loaded with it. */
export { InjectionSettingsSchema } from './injection/settings.ts';
export { OPERATOR_CLUSTER_RULES, operatorNamespaceRules, type RbacRule } from './rbac.ts';
export {
  injectorClusterRules,
  injectorNamespaceRules,
  rotatorClusterRules,
  rotatorNamespaceRules,
} from './webhook/injector-rbac.ts';
export { webhookConfiguration } from './webhook/webhook-configuration.ts';
