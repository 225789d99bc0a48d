/** How many pods a budget counts that ask for the proxy and lack it, or only say that they have it. */
import type { Subject, TokenBudget } from '@tollgate/api';
import { bindsBudget } from '@tollgate/snapshots';
import type { KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache, ObjectChange } from '../../kube/object-cache.ts';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import { carriesProxy } from '../../programming/pod-entries.ts';
import { workloadOf } from '../../programming/workload-owner.ts';
import { lacksProxy, namespaceMode, type AuditContext } from './audit.ts';
import type { WatchedPod } from './watched-pod.ts';

export interface BypassCounts {
  of(budget: TokenBudget): number;
  /** All of them, or those of one namespace. */
  pods(namespace?: string): readonly KubeObject[];
  /** Follows the caches no longer. */
  close(): void;
}

export interface BypassCountsDeps {
  readonly watched: ObjectCache<WatchedPod>;
  readonly injected: ObjectCache<InjectedPod>;
  readonly namespaces: ObjectCache<KubeObject>;
  readonly audit: AuditContext;
  readonly teamLabel: string | null;
}

export const makeBypassCounts = ({
  watched,
  injected,
  namespaces,
  audit,
  teamLabel,
}: BypassCountsDeps): BypassCounts => {
  const labelsOf = (namespace: string): Readonly<Record<string, string>> =>
    namespaces.get({ name: namespace })?.metadata.labels ?? {};
  // Asked for by every budget, and nearly always empty.
  const known = new Map<string, readonly KubeObject[]>();
  const forgetPlace = ({ before, after }: ObjectChange<KubeObject>): unknown =>
    known.delete((after ?? before)?.metadata.namespace ?? '');
  const endings = [
    watched.onChange(forgetPlace),
    injected.onChange(forgetPlace),
    namespaces.onChange(({ before, after }) => known.delete((after ?? before)?.metadata.name ?? '')),
  ];
  const podsOf = (namespace: string): readonly KubeObject[] => {
    const found = known.get(namespace);
    if (found !== undefined) return found;
    const mode = namespaceMode(labelsOf(namespace));
    const lacking = [
      ...watched.list(namespace).filter((pod) => lacksProxy(pod, mode, audit)),
      ...injected.list(namespace).filter((pod) => !carriesProxy(pod, audit)),
    ];
    known.set(namespace, lacking);
    return lacking;
  };
  const pods = (namespace?: string): readonly KubeObject[] =>
    namespace === undefined ? namespaces.list().flatMap(({ metadata }) => podsOf(metadata.name)) : podsOf(namespace);
  const { systemNamespace } = audit;
  return {
    pods,
    close: () => {
      for (const end of endings) end();
    },
    of: (budget) => {
      const reach = budget.spec.namespaceSelector === undefined ? budget.metadata.namespace : undefined;
      return pods(reach).filter((pod) => {
        const subject = subjectOf(pod, teamLabel);
        return bindsBudget(budget, { subject, systemNamespace, namespaceLabels: labelsOf(subject.namespace) });
      }).length;
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
