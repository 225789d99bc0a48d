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
import { lacksProxy, namespaceMode, type AuditContext } from './audit.ts';
import type { WatchedPod } from './watched-pod.ts';

export const PROXY_MISSING = 'ProxyMissing';

export interface PodAuditorDeps {
  readonly watched: ObjectCache<WatchedPod>;
  readonly namespaces: ObjectCache<KubeObject>;
  readonly audit: AuditContext;
  readonly events: EventRecorder;
  /** A pod of this namespace began or ceased to lack the proxy. */
  readonly onChange: (namespace: string) => void;
}

export const podAuditor = ({ watched, namespaces, audit, events, onChange }: PodAuditorDeps): Reconcile => {
  /** By key, the uid of the pod that was found to lack it. */
  const lacking = new Map<string, string>();
  return async (key) => {
    const name = nameOfKey(key);
    const { namespace = '' } = name;
    const pod = watched.get(name);
    const mode = namespaceMode(namespaces.get({ name: namespace })?.metadata.labels);
    const lacks = pod !== null && lacksProxy(pod, mode, audit);
    const former = lacking.get(key);
    const uid = pod?.metadata.uid ?? '';
    if (!lacks) {
      if (lacking.delete(key)) onChange(namespace);
      return undefined;
    }
    if (former === uid) return undefined;
    lacking.set(key, uid);
    onChange(namespace);
    const asked = pod.wish === true ? 'The pod asks' : `Namespace ${namespace} asks`;
    events.record({
      regarding: { ...pod, apiVersion: apiVersionOf(PODS), kind: PODS.kind },
      type: 'Warning',
      reason: PROXY_MISSING,
      action: 'Audit',
      note:
        `${asked} for the proxy and the pod has none: its calls are not metered and no budget holds them. ` +
        'It was made before that was asked, or while the injector was away; delete it, or restart its workload.',
    });
    return undefined;
  };
};
