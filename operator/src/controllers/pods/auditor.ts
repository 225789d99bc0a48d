/**
 * Observes pods that do not carry the proxy, and the labels of namespaces.
 * Decides which of them should carry it.
 * Writes an event on each, once, and has the budgets that count them looked at again. It deletes nothing.
 */
import { PODS } from '../../kinds.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { apiVersionOf, nameOfKey, type KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache } from '../../kube/object-cache.ts';
import type { Reconcile } from '../../reconcile/controller.ts';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import { carriesProxy } from '../../programming/pod-entries.ts';
import { lacksProxy, namespaceMode, type AuditContext } from './audit.ts';
import type { WatchedPod } from './watched-pod.ts';

export const PROXY_MISSING = 'ProxyMissing';

export interface PodAuditorDeps {
  readonly watched: ObjectCache<WatchedPod>;
  /** Those with the injector's mark, which anybody who may edit a pod can write. */
  readonly injected: ObjectCache<InjectedPod>;
  readonly namespaces: ObjectCache<KubeObject>;
  readonly audit: AuditContext;
  readonly events: EventRecorder;
  /** A pod of this namespace began or ceased to lack the proxy. */
  readonly onChange: (namespace: string) => void;
}

export const podAuditor = ({ watched, injected, namespaces, audit, events, onChange }: PodAuditorDeps): Reconcile => {
  /** By key, the uid of the pod that was found to lack it. */
  const lacking = new Map<string, string>();
  return async (key) => {
    const name = nameOfKey(key);
    const { namespace = '' } = name;
    const unmarked = watched.get(name);
    const marked = injected.get(name);
    const mode = namespaceMode(namespaces.get({ name: namespace })?.metadata.labels);
    const lacks =
      (unmarked !== null && lacksProxy(unmarked, mode, audit)) || (marked !== null && !carriesProxy(marked, audit));
    const pod = unmarked ?? marked;
    const former = lacking.get(key);
    const uid = pod?.metadata.uid ?? '';
    if (!lacks || pod === null) {
      if (lacking.delete(key)) onChange(namespace);
      return undefined;
    }
    if (former === uid) return undefined;
    lacking.set(key, uid);
    onChange(namespace);
    const said =
      unmarked === null
        ? 'The pod carries the mark of the injector'
        : `${unmarked.wish === true ? 'The pod' : `Namespace ${namespace}`} asks for the proxy`;
    events.record({
      regarding: { ...pod, apiVersion: apiVersionOf(PODS), kind: PODS.kind },
      type: 'Warning',
      reason: PROXY_MISSING,
      action: 'Audit',
      note:
        `${said}, and there is none in the pod: its calls are not metered and no budget holds them. ` +
        'It was made before that was asked, or while the injector was away; delete it, or restart its workload.',
    });
    return undefined;
  };
};
