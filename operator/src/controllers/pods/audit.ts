/** What is wrong with a pod, as far as the proxy goes. Pure: it reports, and nothing is ever deleted for it. */
import type { NamespaceMode } from '../../injection/facts.ts';
import { INJECTION } from '../../injection/names.ts';
import { carriesProxy, type ProxyImages } from '../../programming/pod-entries.ts';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import type { WatchedPod } from './watched-pod.ts';

export interface AuditContext extends ProxyImages {
  readonly systemNamespace: string;
  readonly excludedNamespaces: readonly string[];
  /** Of the settings that pods are injected under now; null: not known here. */
  readonly configHash: string | null;
  /** Of the injector; null: not known here. */
  readonly version: string | null;
}

export type InjectedFinding = 'well' | 'outdated' | 'forged';

/** Opted in, itself or by its namespace, and without the proxy. */
export const lacksProxy = (pod: WatchedPod, mode: NamespaceMode | null, context: AuditContext): boolean => {
  if (isLeftAlone(pod, context)) return false;
  switch (mode) {
    case 'required':
      return true;
    case 'disabled':
      return false;
    case 'enabled':
      return pod.wish !== false;
    case null:
      return pod.wish === true;
    default:
      return mode satisfies never;
  }
};

/** A word that is neither yes nor no, for which the pod has no proxy, whatever its author thinks; null where it is not so. */
export const oddWordOf = (pod: WatchedPod, mode: NamespaceMode | null, context: AuditContext): string | null =>
  mode === null && pod.wish === null && !isLeftAlone(pod, context) ? pod.oddWish : null;

const isLeftAlone = (
  { isStatic, metadata: { namespace = '' } }: WatchedPod,
  { systemNamespace, excludedNamespaces }: AuditContext,
): boolean => isStatic || namespace === systemNamespace || excludedNamespaces.includes(namespace);

/** Pods keep the proxy they were born with: an outdated one works on, and a restart renews it. */
export const findingOf = (pod: InjectedPod, context: AuditContext): InjectedFinding => {
  if (!carriesProxy(pod, context)) return 'forged';
  const isOther = (now: string | null, then: string): boolean => now !== null && then !== now;
  return isOther(context.configHash, pod.configHash) || isOther(context.version, pod.version) ? 'outdated' : 'well';
};

export const namespaceMode = (labels: Readonly<Record<string, string>> = {}): NamespaceMode | null => {
  const value = labels[INJECTION];
  return value === 'enabled' || value === 'required' || value === 'disabled' ? value : null;
};
