/**
 * How many pods a budget counts that get past it: those that ask for the proxy and lack it, or only say that they have it,
 * and those that have it and call providers past it.
 */
import type { Subject, TokenBudget } from '@tollgate/api';
import { bindsBudget } from '@tollgate/snapshots';
import { keyOf, type KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache, ObjectChange } from '../../kube/object-cache.ts';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import { carriesProxy } from '../../programming/pod-entries.ts';
import { workloadOf } from '../../programming/workload-owner.ts';
import { lacksProxy, namespaceMode, type AuditContext } from './audit.ts';
import type { WatchedPod } from './watched-pod.ts';

export interface BypassCount {
  /** Without the proxy. */
  readonly lacking: number;
  /** With it, and with connections past it. */
  readonly direct: number;
}

export interface BypassCounts {
  of(budget: TokenBudget): BypassCount;
  /** Those without the proxy: all of them, or those of one namespace. */
  lacking(namespace?: string): readonly KubeObject[];
  /** Others than before call past their proxy there. */
  forget(namespace: string): void;
  /** Follows the caches no longer. */
  close(): void;
}

export interface BypassCountsDeps {
  readonly watched: ObjectCache<WatchedPod>;
  readonly injected: ObjectCache<InjectedPod>;
  readonly namespaces: ObjectCache<KubeObject>;
  readonly audit: AuditContext;
  readonly teamLabel: string | null;
  /** Of a pod that carries the proxy, by its key. */
  readonly callsDirectly: (key: string) => boolean;
}

interface Bypassing {
  readonly lacking: readonly KubeObject[];
  readonly direct: readonly KubeObject[];
}

export const makeBypassCounts = ({
  watched,
  injected,
  namespaces,
  audit,
  teamLabel,
  callsDirectly,
}: BypassCountsDeps): BypassCounts => {
  const labelsOf = (namespace: string): Readonly<Record<string, string>> =>
    namespaces.get({ name: namespace })?.metadata.labels ?? {};
  // Asked for by every budget, and nearly always empty.
  const known = new Map<string, Bypassing>();
  const forgetPlace = ({ before, after }: ObjectChange<KubeObject>): unknown =>
    known.delete((after ?? before)?.metadata.namespace ?? '');
  const endings = [
    watched.onChange(forgetPlace),
    injected.onChange(forgetPlace),
    namespaces.onChange(({ before, after }) => known.delete((after ?? before)?.metadata.name ?? '')),
  ];
  const podsOf = (namespace: string): Bypassing => {
    const found = known.get(namespace);
    if (found !== undefined) return found;
    const mode = namespaceMode(labelsOf(namespace));
    const marked = Map.groupBy(injected.list(namespace), (pod) => carriesProxy(pod, audit));
    const bypassing = {
      lacking: [...watched.list(namespace).filter((pod) => lacksProxy(pod, mode, audit)), ...(marked.get(false) ?? [])],
      direct: (marked.get(true) ?? []).filter(({ metadata }) => callsDirectly(keyOf(metadata))),
    };
    known.set(namespace, bypassing);
    return bypassing;
  };
  const pods = (which: keyof Bypassing, namespace?: string): readonly KubeObject[] =>
    namespace === undefined
      ? namespaces.list().flatMap(({ metadata }) => podsOf(metadata.name)[which])
      : podsOf(namespace)[which];
  const { systemNamespace } = audit;
  return {
    lacking: (namespace) => pods('lacking', namespace),
    forget: (namespace) => void known.delete(namespace),
    close: () => {
      for (const end of endings) end();
    },
    of: (budget) => {
      const reach = budget.spec.namespaceSelector === undefined ? budget.metadata.namespace : undefined;
      const bound = (which: keyof Bypassing): number =>
        pods(which, reach).filter((pod) => {
          const subject = subjectOf(pod, teamLabel);
          return bindsBudget(budget, { subject, systemNamespace, namespaceLabels: labelsOf(subject.namespace) });
        }).length;
      return { lacking: bound('lacking'), direct: bound('direct') };
    },
  };
};

/** As far as a pod's metadata tells: its account is not in it, so budgets of a ServiceAccount do not see it here. */
const subjectOf = ({ metadata }: KubeObject, teamLabel: string | null): Subject => {
  const { namespace = '', labels = {} } = metadata;
  const workload = workloadOf(metadata, () => null);
  return {
    namespace,
    workload: workload.name,
    workloadKind: workload.kind,
    pod: metadata.name,
    labels,
    team: (teamLabel === null ? undefined : labels[teamLabel]) ?? namespace,
  };
};
