/**
 * Observes what the server knows of pods that carry the proxy.
 * Decides which of them never called, and which call providers past it.
 * Writes an event on each, once for each host, and has the budgets that count them looked at again. It deletes nothing.
 */
import { PODS } from '../../kinds.ts';
import type { EventRecorder } from '../../kube/event-recorder.ts';
import { apiVersionOf, nameOfKey } from '../../kube/kube-object.ts';
import type { ObjectCache } from '../../kube/object-cache.ts';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import type { PodFindings } from '../../programming/pod-findings.ts';
import type { Reconcile } from '../../reconcile/controller.ts';
import { callsDirectly, podAgeMs, useNotes } from './use-notes.ts';

export interface UseAuditorDeps {
  readonly injected: ObjectCache<InjectedPod>;
  readonly findings: Pick<PodFindings, 'of'>;
  /** From what age on a pod that never called is told of, in milliseconds. */
  readonly unusedAfterMs: number;
  readonly events: EventRecorder;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A pod of this namespace began or ceased to call past its proxy. */
  readonly onChange: (namespace: string) => void;
}

interface Told {
  readonly uid: string;
  /** By reason and what it is about. */
  readonly said: ReadonlySet<string>;
  readonly isDirect: boolean;
}

export const useAuditor = (deps: UseAuditorDeps): Reconcile => {
  const { injected, findings, unusedAfterMs, events, now, onChange } = deps;
  const told = new Map<string, Told>();
  return async (key) => {
    const name = nameOfKey(key);
    const { namespace = '' } = name;
    const pod = injected.get(name);
    const finding = pod === null ? null : findings.of(key);
    const before = told.get(key);
    const isDirect = callsDirectly(finding);
    if ((before?.isDirect ?? false) !== isDirect) onChange(namespace);
    if (pod === null || finding === null) {
      // What was said of a pod that is well for a moment is not said again.
      if (pod === null) told.delete(key);
      else if (before?.isDirect === true) told.set(key, { ...before, isDirect });
      return undefined;
    }
    const uid = pod.metadata.uid ?? '';
    const said = new Set(before?.uid === uid ? before.said : []);
    const notes = useNotes(finding, { ageMs: podAgeMs(pod.metadata, now()), unusedAfterMs });
    for (const { type, reason, note, about } of notes) {
      const which = `${reason} ${about}`;
      if (said.has(which)) continue;
      said.add(which);
      const regarding = { ...pod, apiVersion: apiVersionOf(PODS), kind: PODS.kind };
      events.record({ regarding, type, reason, action: 'Audit', note });
    }
    told.set(key, { uid, said, isDirect });
    return undefined;
  };
};
