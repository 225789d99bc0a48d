/** Why a pod that lacks the proxy would lack it again if it were made anew: then it is no use to delete it. */
import type { NamespaceFacts } from './facts.ts';
import { injectPod, type Injection } from './inject-pod.ts';
import { PodSchema } from './pod.ts';
import type { InjectionSettings } from './settings.ts';

/** `skipped`: it would start without; `refused`: it would not be made at all. */
export type LastingObstacle = Extract<Injection, { readonly outcome: 'skipped' | 'refused' }>;

/** @param pod as the API server has it; null: made again it would be injected */
export const lastingObstacle = (
  pod: unknown,
  namespace: NamespaceFacts,
  settings: InjectionSettings,
): LastingObstacle | null => {
  const parsed = PodSchema.safeParse(pod);
  if (!parsed.success) return null;
  const injection = injectPod(parsed.data, namespace, settings);
  return injection.outcome === 'skipped' || injection.outcome === 'refused' ? injection : null;
};
