/**
 * Pods that would pass something else off as the proxy, or get at what is the proxy's alone (reliability.md 4.3, row 49).
 * They are refused: injecting them would give them a proxy's standing.
 */
import { imageName } from './image-name.ts';
import { proxyUser } from './proxy-user.ts';
import { PROXY_CONTAINER, TOKEN_AUDIENCE, VOLUME } from './names.ts';
import { containersOf, type Container, type Pod } from './pod.ts';
import type { Refused } from './reasons.ts';
import { proxyRepositories } from './proxy-repositories.ts';
import type { InjectionSettings } from './settings.ts';

export interface ForgeryContext {
  /** Provider keys would be mounted into the proxy. */
  readonly holdsKeys: boolean;
  readonly isRequired: boolean;
}

/** The first that applies; null where there is none. */
export const forgeryOf = (pod: Pod, settings: InjectionSettings, context: ForgeryContext): Refused | null =>
  falseProxy(pod, settings) ?? mountOfOurs(pod) ?? ownToken(pod) ?? sharedProcesses(pod, settings, context);

const falseProxy = (pod: Pod, settings: InjectionSettings): Refused | null => {
  const { containers, initContainers } = pod.spec;
  if ((containers ?? []).some(isProxy)) {
    return forged(`container ${PROXY_CONTAINER} is among the pod's containers, and that name is the proxy's`);
  }
  const claimed = (initContainers ?? []).filter(isProxy);
  if (claimed.length > 1) return forged(`there are ${claimed.length} init containers called ${PROXY_CONTAINER}`);
  const [proxy] = claimed;
  if (proxy === undefined || isOurImage(proxy.image ?? '', settings)) return null;
  return forged(
    `init container ${PROXY_CONTAINER} has an image that is not the proxy's; remove it, it is put in by itself ` +
      '(an image that a webhook of yours rewrites belongs into the setting imageMirrors)',
  );
};

/** Of any version: while the injector is upgraded, replicas differ in it, and the newer one puts in its own. */
export const isOurImage = (image: string, settings: InjectionSettings): boolean =>
  proxyRepositories(settings).includes(imageName(image).repository);

const mountOfOurs = (pod: Pod): Refused | null => {
  const reserved: readonly string[] = Object.values(VOLUME);
  for (const { name, volumeMounts } of containersOf(pod)) {
    if (name === PROXY_CONTAINER) continue;
    const mount = (volumeMounts ?? []).find((candidate) => reserved.includes(candidate.name));
    if (mount !== undefined) {
      return {
        reason: 'MountsProxyVolume',
        message: `container ${name} mounts volume ${mount.name}, which only the proxy may; remove the mount`,
      };
    }
  }
  return null;
};

const ownToken = (pod: Pod): Refused | null => {
  const volume = (pod.spec.volumes ?? []).find(
    ({ name, projected }) =>
      name !== VOLUME.identity &&
      (projected?.sources ?? []).some(({ serviceAccountToken }) => serviceAccountToken?.audience === TOKEN_AUDIENCE),
  );
  if (volume === undefined) return null;
  return {
    reason: 'ForgedToken',
    message: `volume ${volume.name} asks for a token of audience ${TOKEN_AUDIENCE}, which only the proxy may have; remove it`,
  };
};

/**
 * With shared processes a container that runs as the proxy's user reads its files and memory through /proc. Where that is
 * certain, or where there is most to lose, the pod is refused.
 */
const sharedProcesses = (
  pod: Pod,
  settings: InjectionSettings,
  { holdsKeys, isRequired }: ForgeryContext,
): Refused | null => {
  if (!sharesProcesses(pod)) return null;
  const user = proxyUser(pod, settings).effective;
  const same = containersOf(pod).find(
    (container) =>
      container.name !== PROXY_CONTAINER &&
      (container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser) === user,
  );
  const why =
    same !== undefined
      ? `container ${same.name} runs as the proxy's user ${user}`
      : holdsKeys
        ? 'the proxy holds keys of providers'
        : isRequired
          ? 'this namespace requires injection'
          : null;
  if (why === null) return null;
  return {
    reason: 'SharesProcesses',
    message: `the pod's containers see each other's processes, and ${why}; unset shareProcessNamespace and hostPID`,
  };
};

export const sharesProcesses = ({ spec }: Pod): boolean => spec.shareProcessNamespace === true || spec.hostPID === true;

const isProxy = ({ name }: Container): boolean => name === PROXY_CONTAINER;

const forged = (message: string): Refused => ({ reason: 'ForgedProxy', message });
