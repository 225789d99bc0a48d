/** Injection for other programs of ours: the same pure decisions as at admission. No client is loaded with it. */
export { BASE_URL_VARIABLES, KEY_SIGNS, PUBLIC_URLS } from './base-url-variables.ts';
export { carryAnnotation } from './carry-annotation.ts';
export { PROVIDERS, type NamespaceFacts, type NamespaceMode, type ProviderId } from './facts.ts';
export { imageName } from './image-name.ts';
export { injectPod, type Injection } from './inject-pod.ts';
export type { JsonPatch } from './json-patch.ts';
export { isMap, mapOf } from './json-value.ts';
export { INJECT, INJECTED, INJECTION, MESH_CONTAINERS, PROXY_CONTAINER, SETTING, STATUS, VOLUME } from './names.ts';
export { injectFault, oddInjectValue } from './inject-value.ts';
export { lastingObstacle, type LastingObstacle } from './lasting-obstacle.ts';
export { unreadWish, whyNot, wishOf } from './opt-in.ts';
export type { InjectionStatus } from './patch-pod.ts';
export { containersOf, PodSchema, type Container, type Pod } from './pod.ts';
export type { RefusalReason, SkipReason } from './reasons.ts';
export { InjectionSettingsSchema, type InjectionSettings } from './settings.ts';
export { templatePod } from './template-pod.ts';
export { parseWorkload, WORKLOAD_KINDS, type WorkloadKind } from './workload-object.ts';
export { workloadOf } from './workload.ts';
