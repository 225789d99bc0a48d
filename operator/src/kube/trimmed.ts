/** What is never needed of an object that is kept: who wrote which field, which may be half of it. */
import type { KubeObject } from './kube-object.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The same object without `managedFields` and without what `kubectl apply` keeps for itself. */
export const trimmed = <T extends KubeObject>(object: T): T => {
  const metadata: Record<string, unknown> = { ...object.metadata };
  delete metadata['managedFields'];
  const { [LAST_APPLIED]: lastApplied, ...annotations } = object.metadata.annotations ?? {};
  if (lastApplied !== undefined) metadata['annotations'] = annotations;
  return { ...object, metadata };
};
