/** Says on a pod's owner why the pod got no proxy: the pod has no name yet, and who made it sees no warning. */
import type { SkipReason } from '../injection/reasons.ts';
import type { Pod } from '../injection/pod.ts';
import type { EventRecorder } from '../kube/event-recorder.ts';

export const makeSkipEvents =
  (recorder: Pick<EventRecorder, 'record'>) =>
  (pod: Pod, namespace: string, reason: SkipReason, message: string): void => {
    const owners = pod.metadata.ownerReferences ?? [];
    const owner = owners.find(({ controller }) => controller === true) ?? owners[0];
    // A pod made by hand: its maker has read the warning.
    if (owner === undefined) return;
    const { apiVersion, kind, name, uid } = owner;
    recorder.record({
      regarding: { apiVersion, kind, metadata: { name, namespace, uid } },
      type: 'Warning',
      reason: `InjectionSkipped${reason}`,
      action: 'Inject',
      note: `no proxy is injected: ${message}`,
    });
  };
