/** What the backends of a route refer to, and what became of each reference. */
import type { ModelRoute, ModelRouteBackend } from '@tollgate/api';

/** What one backend needs, named so that it can be looked up once for all backends that need it. */
export type Target =
  | { readonly kind: 'Provider' }
  | { readonly kind: 'Secret' | 'Service' | 'LLMInferenceService' | 'KServe'; readonly name: string };

export type Resolution =
  | { readonly state: 'found'; readonly url: string | null }
  | { readonly state: 'missing' }
  /** The operator may not look. */
  | { readonly state: 'hidden' }
  /** There, and not reachable yet. */
  | { readonly state: 'no address' };

export const targetOf = ({ provider, serviceRef, inferenceServiceRef }: ModelRouteBackend): Target => {
  if (serviceRef !== undefined) return { kind: 'Service', name: serviceRef.name };
  if (inferenceServiceRef !== undefined) {
    const { group, name } = inferenceServiceRef;
    return { kind: group === 'serving.kserve.io' ? 'KServe' : 'LLMInferenceService', name };
  }
  const secret = provider?.credentialsSecretRef;
  return secret === undefined ? { kind: 'Provider' } : { kind: 'Secret', name: secret.name };
};

export const targetKey = (target: Target): string =>
  target.kind === 'Provider' ? target.kind : `${target.kind}/${target.name}`;

/** Each once. */
export const targetsOf = (route: ModelRoute): readonly Target[] => {
  const targets = route.spec.rules.flatMap(({ backends }) => backends.map(targetOf));
  return [...new Map(targets.map((target) => [targetKey(target), target])).values()];
};

/** Where a backend is reached, as far as the route or its target says; the provider's own address is not repeated. */
export const urlOf = (
  { provider, serviceRef }: ModelRouteBackend,
  namespace: string,
  resolution: Resolution,
): string | null => {
  if (provider !== undefined) return provider.baseUrl ?? null;
  if (serviceRef !== undefined) return `http://${serviceRef.name}.${namespace}.svc:${serviceRef.port}`;
  return resolution.state === 'found' ? resolution.url : null;
};
