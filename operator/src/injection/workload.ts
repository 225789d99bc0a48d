/** Which workload a pod belongs to, by its owner alone: what the proxy says of itself until the operator's word counts. */
import { labelsOf, type Owner, type Pod } from './pod.ts';

export interface Workload {
  readonly kind: string;
  readonly name: string;
}

export const workloadOf = (pod: Pod): Workload => {
  const owners = pod.metadata.ownerReferences ?? [];
  const owner = owners.find(({ controller }) => controller === true) ?? owners[0];
  if (owner === undefined) return { kind: 'Pod', name: ownName(pod) };
  switch (owner.kind) {
    case 'ReplicaSet':
      return ofReplicaSet(owner, pod);
    case 'Job':
      return ofJob(owner);
    default:
      return { kind: owner.kind, name: owner.name };
  }
};

/** A ReplicaSet is called after its Deployment and the hash of its template, which the pod has as a label. */
const ofReplicaSet = ({ name }: Owner, pod: Pod): Workload => {
  for (const [label, kind] of TEMPLATE_HASHES) {
    const hash = labelsOf(pod)[label];
    if (hash !== undefined && hash !== '' && name.endsWith(`-${hash}`)) {
      return { kind, name: name.slice(0, -hash.length - 1) };
    }
  }
  return { kind: 'ReplicaSet', name };
};

const TEMPLATE_HASHES = [
  ['pod-template-hash', 'Deployment'],
  ['rollouts-pod-template-hash', 'Rollout'],
] as const;

/** A Job is called after its CronJob and the minutes since 1970 for which it was made. From 2017 to 2055 that is this. */
const ofJob = ({ name }: Owner): Workload => {
  const [, cronJob] = /^(.+)-(?:2[5-9]|3\d|4[0-4])\d{6}$/.exec(name) ?? [];
  return cronJob === undefined ? { kind: 'Job', name } : { kind: 'CronJob', name: cronJob };
};

const ownName = ({ metadata: { name, generateName } }: Pod): string => {
  if (name != null && name !== '') return name;
  return (generateName ?? '').replace(/-$/, '') || 'pod';
};
