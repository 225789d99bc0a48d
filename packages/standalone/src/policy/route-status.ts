/** The status of routes on a laptop: which of their backends can be used, and what grants the keys that are missing. */
import type { Condition, ModelRoute } from '@tollgate/api/schema';
import type { SecretLookup, SecretName } from '../secrets.ts';

export interface RouteStatusDeps {
  readonly lookUp: (secret: SecretName) => SecretLookup;
  /** ISO 8601. */
  readonly since: string;
}

/** Every key that routes name, once. */
export const secretsOf = (routes: readonly ModelRoute[]): SecretName[] => {
  const found = new Map<string, SecretName>();
  for (const { spec } of routes) {
    for (const { backends } of spec.rules) {
      for (const { provider } of backends) {
        const ref = provider?.credentialsSecretRef;
        if (ref !== undefined) found.set(`${ref.name}/${ref.key}`, ref);
      }
    }
  }
  return [...found.values()];
};

export const withRouteStatus = (route: ModelRoute, { lookUp, since }: RouteStatusDeps): ModelRoute => {
  const backends = route.spec.rules.flatMap((rule) => rule.backends.map((backend) => ({ rule, backend })));
  const missing = new Map<string, string>();
  const states = backends.map(({ rule, backend }) => {
    const ref = backend.provider?.credentialsSecretRef;
    const lookup = ref === undefined ? null : lookUp(ref);
    if (ref === undefined || lookup === null || lookup.found) return { rule: rule.name, name: backend.name };
    missing.set(`${ref.name}/${ref.key}`, lookup.grant);
    return { rule: rule.name, name: backend.name, lastError: `no key ${ref.name}/${ref.key}`.slice(0, 256) };
  });
  const usable = states.filter((state) => !('lastError' in state)).length;
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string): Condition => ({
    type,
    status,
    reason,
    message,
    lastTransitionTime: since,
  });
  const grants = [...missing].map(([key, grant]) => `The key ${key} cannot be read: ${grant}.`).join(' ');
  const isResolved = missing.size === 0;
  return {
    ...route,
    metadata: { ...route.metadata, creationTimestamp: route.metadata.creationTimestamp ?? since },
    status: {
      summary: { models: modelsOf(route), backends: `${usable}/${backends.length}` },
      backends: states,
      conditions: [
        isResolved
          ? condition('ResolvedRefs', 'True', 'ResolvedRefs', 'Every key can be read.')
          : condition('ResolvedRefs', 'False', 'SecretNotReadable', grants),
        isResolved
          ? condition('Ready', 'True', 'Serving', 'Calls take this route.')
          : usable > 0
            ? condition('Ready', 'True', 'Degraded', `${usable} of ${backends.length} backends can be used. ${grants}`)
            : condition('Ready', 'False', 'SecretNotReadable', grants),
      ],
    },
  };
};

/** Longer lists are cut with a count, as the column holds 256 characters. */
const modelsOf = ({ spec }: ModelRoute): string => {
  const models = [...new Set(spec.rules.flatMap(({ models: named = [] }) => (named.length === 0 ? ['*'] : named)))];
  const shown = models.slice(0, 4).join(',');
  return (models.length > 4 ? `${shown} +${models.length - 4}` : shown).slice(0, 256);
};
