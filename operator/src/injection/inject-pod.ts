/**
 * A pod in, what becomes of it out. Pure: the same pod and facts give the same answer, and a pod that has had its patch
 * gets none the second time, however often the API server asks.
 */
import { planBaseUrls, type BaseUrlPlan } from './base-urls.ts';
import { formerUpstreams } from './former-upstreams.ts';
import { forgeryOf, sharesProcesses } from './forgeries.ts';
import type { NamespaceFacts, ProviderId, RouteKey } from './facts.ts';
import type { JsonPatch } from './json-patch.ts';
import { INJECTED, MESH_CONTAINERS, PROXY_CONTAINER } from './names.ts';
import { obstacleOf } from './obstacles.ts';
import { unreadWish, whyNot } from './opt-in.ts';
import { extendExceptions, wayOut } from './outbound-proxy.ts';
import { patchPod } from './patch-pod.ts';
import { annotationsOf, containersOf, labelsOf, type Container, type Pod } from './pod.ts';
import { readPodSettings, type PodSettings } from './pod-settings.ts';
import { portsOf } from './proxy-ports.ts';
import { proxyUser } from './proxy-user.ts';
import type { RefusalReason, SkipReason } from './reasons.ts';
import type { InjectionSettings } from './settings.ts';
import { subjectOf } from './subject.ts';

export type Injection =
  | { readonly outcome: 'injected' | 'repaired' | 'already'; readonly patch: JsonPatch; readonly warnings: Warnings }
  | {
      readonly outcome: 'skipped';
      readonly reason: SkipReason;
      readonly message: string;
      readonly warnings: Warnings;
    }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason; readonly message: string };

type Warnings = readonly string[];

export const injectPod = (pod: Pod, namespace: NamespaceFacts, settings: InjectionSettings): Injection => {
  const odd = unreadWish(pod);
  const warned = odd === null ? [] : [odd];
  const skip = whyNot(pod, namespace, settings);
  if (skip !== null) {
    // Whoever brings the proxy's marks without being injected would be taken for a pod that was.
    if (bearsMarks(pod) && skip.reason !== 'NamespaceExcluded') {
      return refused('ForgedProxy', `the pod bears the proxy's marks, but ${skip.message}; remove ${marksOf(pod)}`);
    }
    return { outcome: 'skipped', ...skip, warnings: warned };
  }

  const isRequired = namespace.mode === 'required';
  const keys = keysFor(pod, namespace);
  const forgery = forgeryOf(pod, settings, { holdsKeys: keys.length > 0, isRequired });
  if (forgery !== null) return { outcome: 'refused', ...forgery };

  const podSettings = readPodSettings(annotationsOf(pod), settings, {
    containerNames: containersOf(pod).map(({ name }) => name),
    isRequired,
  });
  const ports = portsOf(pod, podSettings);
  const obstacle = obstacleOf(pod, namespace, ports);
  if (obstacle !== null) {
    if (isRequired) {
      return refused(
        'InjectionRequired',
        `namespace ${namespace.name} requires injection, but ${obstacle.message} (${obstacle.reason})`,
      );
    }
    if (bearsMarks(pod)) return refused('ForgedProxy', `the pod bears the proxy's marks, but ${obstacle.message}`);
    return { outcome: 'skipped', ...obstacle, warnings: [...warned, ...podSettings.warnings] };
  }

  const applications = applicationsOf(pod, podSettings);
  const pointed = podSettings.rewritesEnv ? applications : [];
  const baseUrls = planBaseUrls({
    applications: pointed,
    providers: podSettings.providers,
    port: ports.port,
    adopted: formerUpstreams(pod),
    fixed: fixedProviders(keys),
  });
  const [past] = baseUrls.skipped;
  if (isRequired && past !== undefined) {
    return refused(
      'BaseUrlNotAdopted',
      `${past.name} of container ${past.container} leads past the proxy: ${past.why}`,
    );
  }
  const out = wayOut(applicationsOf(pod, { containers: null }));
  const patch = patchPod(pod, {
    plan: {
      settings,
      podSettings,
      ports,
      subject: subjectOf(pod, namespace.name, settings),
      upstreams: baseUrls.upstreams,
      dialsPrivate: baseUrls.dialsPrivate,
      keys,
      wayOut: out.env,
      runAsUser: proxyUser(pod, settings).stated,
    },
    baseUrls,
    exceptions: new Map(pointed.map((container) => [container.name, extendExceptions(container).set])),
    providers: podSettings.providers,
  });
  const was = (pod.spec.initContainers ?? []).some(({ name }) => name === PROXY_CONTAINER);
  return {
    outcome: patch.length === 0 ? 'already' : was ? 'repaired' : 'injected',
    patch,
    warnings: [
      ...warned,
      ...podSettings.warnings,
      ...baseUrlWarnings(baseUrls, pointed),
      ...exceptionWarnings(pointed, out.left),
      ...(sharesProcesses(pod) ? ['the pod shares processes: its containers can get at the token of the proxy'] : []),
    ],
  };
};

/** Null in place of a list: every container but a mesh's and the proxy. The pod's own first, then those that start before. */
const applicationsOf = ({ spec }: Pod, { containers }: Pick<PodSettings, 'containers'>): readonly Container[] =>
  [...(spec.containers ?? []), ...afterProxy(spec.initContainers ?? [])].filter(
    ({ name }) =>
      name !== PROXY_CONTAINER && !MESH_CONTAINERS.has(name) && (containers === null || containers.includes(name)),
  );

/** What starts before a mesh's containers starts before the proxy too. */
const afterProxy = (init: readonly Container[]): readonly Container[] =>
  init.slice(init.findLastIndex(({ name }) => MESH_CONTAINERS.has(name)) + 1);

const keysFor = (pod: Pod, { routeKeys }: NamespaceFacts): readonly RouteKey[] => {
  const labels = labelsOf(pod);
  return routeKeys
    .filter(({ matchLabels }) => Object.entries(matchLabels ?? {}).every(([name, value]) => labels[name] === value))
    .flatMap(({ keys }) => keys);
};

const fixedProviders = (keys: readonly RouteKey[]): ReadonlySet<ProviderId> =>
  new Set(keys.flatMap(({ toProviderAddress }) => toProviderAddress ?? []));

const bearsMarks = (pod: Pod): boolean =>
  labelsOf(pod)[INJECTED] !== undefined || containersOf(pod).some(({ name }) => name === PROXY_CONTAINER);

const marksOf = (pod: Pod): string =>
  labelsOf(pod)[INJECTED] === undefined ? `container ${PROXY_CONTAINER}` : `label ${INJECTED}`;

const baseUrlWarnings = ({ skipped, upstreams }: BaseUrlPlan, pointed: readonly Container[]): Warnings => [
  ...skipped.map(({ container, name, why }) => `${name} of container ${container} stays as it is, unmetered: ${why}`),
  ...pointed
    .filter(({ envFrom }) => (envFrom ?? []).length > 0)
    .map(
      ({ name }) => `container ${name}: base URLs that its envFrom holds are not seen, and the proxy's win over them`,
    ),
  ...Object.entries(upstreams).map(
    ([provider, url]) => `the pod's own base URL is kept: calls to ${provider} go to ${url}`,
  ),
];

const exceptionWarnings = (pointed: readonly Container[], left: readonly string[]): Warnings => [
  ...pointed.flatMap((container) =>
    extendExceptions(container).unseen.map(
      (name) => `${name} of container ${container.name} comes from valueFrom: see to it that it names 127.0.0.1`,
    ),
  ),
  ...left.map((name) => `${name} refers to another variable, so the proxy cannot use it too`),
];

const refused = (reason: RefusalReason, message: string): Injection => ({ outcome: 'refused', reason, message });
