import { describe, expect, it } from '@jest/globals';
import { aPod } from './testing/pods.ts';
import { workloadOf } from './workload.ts';

describe('the workload of a pod', () => {
  it.each<[string, { kind: string; name: string } | null, Readonly<Record<string, string>>, string]>([
    ['Deployment', { kind: 'ReplicaSet', name: 'web-5d9f7c' }, { 'pod-template-hash': '5d9f7c' }, 'Deployment web'],
    ['Argo Rollout', { kind: 'ReplicaSet', name: 'web-5d9' }, { 'rollouts-pod-template-hash': '5d9' }, 'Rollout web'],
    ['ReplicaSet of its own', { kind: 'ReplicaSet', name: 'web' }, {}, 'ReplicaSet web'],
    ['StatefulSet', { kind: 'StatefulSet', name: 'db' }, {}, 'StatefulSet db'],
    ['DaemonSet', { kind: 'DaemonSet', name: 'agent' }, {}, 'DaemonSet agent'],
    ['Job', { kind: 'Job', name: 'import-2' }, {}, 'Job import-2'],
    ['CronJob', { kind: 'Job', name: 'nightly-29384720' }, {}, 'CronJob nightly'],
    ['kind of somebody else', { kind: 'RayCluster', name: 'ray' }, {}, 'RayCluster ray'],
  ])('is found for a %s', (_, owner, labels, expected) => {
    const ownerReferences = owner === null ? [] : [{ apiVersion: 'v1', uid: 'u', controller: true, ...owner }];
    const { kind, name } = workloadOf(aPod({}, { ownerReferences, labels }));
    expect(`${kind} ${name}`).toBe(expected);
  });

  it('is the pod itself where nothing owns it', () => {
    expect(workloadOf(aPod({}, { ownerReferences: null, name: 'solo' }))).toEqual({ kind: 'Pod', name: 'solo' });
    expect(workloadOf(aPod({}, { ownerReferences: [] }))).toEqual({ kind: 'Pod', name: 'web-5d9f7c' });
  });
});
