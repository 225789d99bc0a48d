/** Which keys the ModelRoutes of a namespace name, and for which pods: never the keys themselves. */
import type { ProviderId, RouteKey, RouteKeys } from '../injection/facts.ts';
import { isMap } from '../injection/json-value.ts';
import { identityOf, type KubeObject } from '../kube/kube-object.ts';

/** Small, so that thousands of routes cost little: what the cache keeps of one. */
export interface KeyedRoute extends KubeObject {
  readonly keys: RouteKeys;
}

/** As stored by the API server, whose schema has been checked; read leniently, since it may be of another version. */
export const toKeyedRoute = (route: KubeObject & { readonly spec?: unknown }): KeyedRoute => {
  const spec = isMap(route.spec) ? route.spec : {};
  const selector = isMap(spec['selector']) ? spec['selector'] : {};
  return {
    metadata: identityOf(route.metadata),
    keys: {
      matchLabels: isMap(selector['matchLabels']) ? textsOf(selector['matchLabels']) : null,
      keys: mapsOf(spec['rules']).flatMap((rule) => mapsOf(rule['backends']).flatMap(keyOf)),
    },
  };
};

const keyOf = ({ provider }: Readonly<Record<string, unknown>>): readonly RouteKey[] => {
  if (!isMap(provider) || !isMap(provider['credentialsSecretRef'])) return [];
  const { name: secret, key } = provider['credentialsSecretRef'];
  if (typeof secret !== 'string' || typeof key !== 'string' || !isSecretName(secret) || !isSecretKey(key)) return [];
  const type = typeof provider['type'] === 'string' ? PROVIDER_OF[provider['type']] : undefined;
  const hasAddress = typeof provider['baseUrl'] === 'string' && provider['baseUrl'] !== '';
  return [{ secret, key, toProviderAddress: hasAddress ? null : (type ?? null) }];
};

const PROVIDER_OF: Readonly<Record<string, ProviderId>> = {
  OpenAI: 'openai',
  Anthropic: 'anthropic',
  Gemini: 'gemini',
  AzureOpenAI: 'azure',
};

/** Both become a path in the pod. As Kubernetes has them; anything else would make the pod invalid. */
const isSecretName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(name) && !name.includes('..');
const isSecretKey = (key: string): boolean => /^[\w.-]{1,253}$/.test(key) && key !== '.' && !key.startsWith('..');

const mapsOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.filter(isMap) : [];

const textsOf = (map: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(map).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
