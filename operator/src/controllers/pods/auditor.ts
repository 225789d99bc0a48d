/**
 * Observes pods that do not carry the proxy, and the labels of namespaces.
 * Decides which of them should carry it, and what keeps it out.
 * Writes an event on each, once, and has the budgets that count them looked at again. It deletes nothing.
 */
import type { NamespaceMode } from '../../injection/facts.ts';
import { PODS } from '../../kinds.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { apiVersionOf, nameOfKey, type KubeObject } from '../../kube/kube-object.ts';
import type { ObjectCache } from '../../kube/object-cache.ts';
import type { Reconcile } from '../../reconcile/controller.ts';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import { carriesProxy } from '../../programming/pod-entries.ts';
import { lacksProxy, namespaceMode, oddWordOf, type AuditContext } from './audit.ts';
import { INVALID_INJECT_VALUE, missingNote, oddValueNote, PROXY_MISSING } from './missing-notes.ts';
import type { AskProspect } from './prospects.ts';
import type { WatchedPod } from './watched-pod.ts';

export interface PodAuditorDeps {
  readonly watched: ObjectCache<WatchedPod>;
  /** Those with the injector's mark, which anybody who may edit a pod can write. */
  readonly injected: ObjectCache<InjectedPod>;
  readonly namespaces: ObjectCache<KubeObject>;
  readonly audit: AuditContext;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly prospectOf: AskProspect;
  /** A pod of this namespace began or ceased to lack the proxy. */
  readonly onChange: (namespace: string) => void;
}

export const podAuditor = (deps: PodAuditorDeps): Reconcile => {
  const { watched, injected, namespaces, audit, events, prospectOf, onChange } = deps;
  /** By key, the uid of the pod that was found to lack it. */
  const lacking = new Map<string, string>();
  /** By key, the uid of the pod whose odd word was told of. */
  const told = new Map<string, string>();
  const record = (pod: KubeObject, reason: string, note: string): void =>
    events.record({
      regarding: { ...pod, apiVersion: apiVersionOf(PODS), kind: PODS.kind },
      type: 'Warning',
      reason,
      action: 'Audit',
      note,
    });
  const tellOddWord = (key: string, pod: WatchedPod | null, mode: NamespaceMode | null): void => {
    const odd = pod === null ? null : oddWordOf(pod, mode, audit);
    const uid = pod?.metadata.uid ?? '';
    if (pod === null || odd === null) told.delete(key);
    else if (told.get(key) !== uid) {
      told.set(key, uid);
      record(pod, INVALID_INJECT_VALUE, oddValueNote(odd, pod));
    }
  };

  return async (key, signal) => {
    const name = nameOfKey(key);
    const { namespace = '' } = name;
    const unmarked = watched.get(name);
    const marked = injected.get(name);
    const mode = namespaceMode(namespaces.get({ name: namespace })?.metadata.labels);
    tellOddWord(key, unmarked, mode);
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
    // What bears the mark without the proxy came about while nobody looked, and may well be injected once it is made again.
    const prospect = unmarked === null ? null : await prospectOf(unmarked, mode, signal);
    lacking.set(key, uid);
    onChange(namespace);
    const said =
      unmarked === null
        ? 'The pod carries the mark of the injector'
        : `${unmarked.wish === true ? 'The pod' : `Namespace ${namespace}`} asks for the proxy`;
    record(pod, PROXY_MISSING, missingNote(said, (pod.metadata.ownerReferences ?? []).length > 0, prospect));
    return undefined;
  };
};
