/** The names under which Kubernetes knows the three kinds. No zod: every process may read this file. */
export const GROUP = 'tollgate.dev';
export const API_VERSION = 'tollgate.dev/v1alpha1';

export const KINDS = ['TokenBudget', 'ModelRoute', 'LLMInferenceService'] as const;
export type Kind = (typeof KINDS)[number];
