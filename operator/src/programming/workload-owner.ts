/** Whose pod it is: the object that people wrote, behind what controllers made of it. */
import type { KubeMeta, OwnerReference } from '../kube/kube-object.ts';

export interface Workload {
  readonly kind: string;
  readonly name: string;
}

/** A Job that a CronJob may have made: `nightly-29384720`, by the minute that it was scheduled for. */
export const isMaybeScheduled = ({ kind, name }: Pick<OwnerReference, 'kind' | 'name'>): boolean =>
  kind === 'Job' && /-\d{6,}$/.test(name);

export const controllerOf = ({ ownerReferences = [] }: KubeMeta): OwnerReference | null =>
  ownerReferences.find(({ controller }) => controller === true) ?? null;

/** `cronJobOf`: the CronJob of a Job by the Job's uid, null where it has none or is not known. */
export const workloadOf = (pod: KubeMeta, cronJobOf: (jobUid: string) => string | null): Workload => {
  const owner = controllerOf(pod);
  if (owner === null) return { kind: 'Pod', name: pod.name };
  switch (owner.kind) {
    case 'ReplicaSet':
      return replicaSetOwner(owner.name, pod.labels ?? {});
    case 'Job': {
      const cronJob = isMaybeScheduled(owner) ? cronJobOf(owner.uid) : null;
      return cronJob === null ? { kind: 'Job', name: owner.name } : { kind: 'CronJob', name: cronJob };
    }
    default:
      return { kind: owner.kind, name: owner.name };
  }
};

/** Who makes ReplicaSets names them for itself and the hash of the template, and labels the pods with that hash. */
const replicaSetOwner = (name: string, labels: Readonly<Record<string, string>>): Workload => {
  for (const [label, kind] of HASH_LABELS) {
    const hash = labels[label];
    if (hash !== undefined && hash !== '' && name.endsWith(`-${hash}`)) {
      return { kind, name: name.slice(0, -hash.length - 1) };
    }
  }
  return { kind: 'ReplicaSet', name };
};

const HASH_LABELS = [
  ['pod-template-hash', 'Deployment'],
  ['rollouts-pod-template-hash', 'Rollout'],
] as const;
