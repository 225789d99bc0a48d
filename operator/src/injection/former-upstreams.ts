/**
 * What an earlier look at the same pod took over as upstreams: by then the application's own variables point at the proxy.
 * A pod's author may write the same by hand, which is no more than setting the base URL.
 */
import { PROVIDERS, type ProviderId } from './facts.ts';
import { isMap, mapOf } from './json-value.ts';
import { PROXY_CONTAINER, STATUS } from './names.ts';
import { annotationsOf, type Pod } from './pod.ts';
import { upstreamVariable } from './proxy-container.ts';

export const formerUpstreams = (pod: Pod): Readonly<Partial<Record<ProviderId, string>>> => {
  const env = (pod.spec.initContainers ?? []).find(({ name }) => name === PROXY_CONTAINER)?.env ?? [];
  // Where another webhook took the container's variables away, the annotation still knows.
  const told = mapOf(annotationsOf(pod)[STATUS])['upstreams'];
  return Object.fromEntries(
    PROVIDERS.flatMap((provider) => {
      const value = isMap(told) ? told[provider] : env.find(({ name }) => name === upstreamVariable(provider))?.value;
      return typeof value === 'string' && value !== '' ? [[provider, value] as const] : [];
    }),
  );
};
