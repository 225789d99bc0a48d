import { describe, expect, it } from '@jest/globals';
import { toInjectedPod, type InjectedPod } from './injected-pod.ts';
import { podEntries, type PodEntriesDeps } from './pod-entries.ts';
import { workloadOf } from './workload-owner.ts';

const DEPS: PodEntriesDeps = { teamLabel: null, cronJobOf: () => null, proxyRepositories: null };

const owner = (kind: string, name: string) => ({ apiVersion: 'v1', kind, name, uid: `uid-${name}`, controller: true });

const PROXY = { name: 'tollgate-proxy', image: 'registry:5000/tollgate-proxy:1@sha256:abc', restartPolicy: 'Always' };

const aPod = (metadata: object = {}, spec: object = {}): InjectedPod =>
  toInjectedPod({
    metadata: {
      name: 'web-5d9c7-x2x',
      namespace: 'team-a',
      uid: 'u1',
      labels: { app: 'web', 'tollgate.dev/injected': 'true', 'pod-template-hash': '5d9c7' },
      annotations: { 'tollgate.dev/status': '{"version":"1","configHash":"c0ffee"}' },
      ownerReferences: [owner('ReplicaSet', 'web-5d9c7')],
      ...metadata,
    },
    spec: { serviceAccountName: 'bot', initContainers: [PROXY], containers: [{ name: 'app', image: 'huge' }], ...spec },
  });

describe('the pods that the server is told of', () => {
  it('say who they are in the words of a subject', () => {
    expect(podEntries([aPod()], DEPS)).toEqual([
      {
        uid: 'u1',
        namespace: 'team-a',
        name: 'web-5d9c7-x2x',
        workload: 'web',
        workloadKind: 'Deployment',
        serviceAccount: 'bot',
        labels: { app: 'web', 'pod-template-hash': '5d9c7' },
        team: 'team-a',
        configHash: 'c0ffee',
      },
    ]);
  });

  it('keep little of a pod', () => {
    expect(JSON.stringify(aPod())).not.toContain('huge');
  });

  it.each([
    ['the label alone', { initContainers: [] }, null],
    ['a container of that name that is no sidecar', { initContainers: [{ ...PROXY, restartPolicy: undefined }] }, null],
    ['an ordinary container of that name', { initContainers: [], containers: [PROXY] }, null],
    ['another image', { initContainers: [PROXY] }, ['other/tollgate-proxy']],
  ])('are not those with %s', (_title, spec, proxyRepositories) => {
    expect(podEntries([aPod({}, spec)], { ...DEPS, proxyRepositories })).toEqual([]);
  });

  it('are those with the image in any version of it', () => {
    const proxyRepositories = ['registry:5000/tollgate-proxy'];
    expect(podEntries([aPod()], { ...DEPS, proxyRepositories })).toHaveLength(1);
  });

  it.each([
    ['a', 'gold', 'gold'],
    ['no', undefined, 'team-a'],
    ['an empty', '', 'team-a'],
  ])('are of the team that %s label names', (_title, team, expected) => {
    const labels = team === undefined ? {} : { team };
    expect(podEntries([aPod({ labels })], { ...DEPS, teamLabel: 'team' })[0]?.team).toBe(expected);
  });

  it('come in one order', () => {
    const pods = [aPod({ uid: 'b', name: 'b' }), aPod({ uid: 'a', name: 'a' })];
    expect(podEntries(pods, DEPS).map(({ uid }) => uid)).toEqual(['a', 'b']);
  });

  it.each([['not json'], ['[]'], ['{"configHash":5}']])('stand an annotation that reads %s', (status) => {
    expect(aPod({ annotations: { 'tollgate.dev/status': status } }).configHash).toBe('');
  });
});

describe('whose pod it is', () => {
  it.each([
    ['nobody', [], {}, 'Pod', 'p'],
    ['a ReplicaSet by hand', [owner('ReplicaSet', 'rs')], {}, 'ReplicaSet', 'rs'],
    ['a Deployment', [owner('ReplicaSet', 'web-abc')], { 'pod-template-hash': 'abc' }, 'Deployment', 'web'],
    ['a Rollout', [owner('ReplicaSet', 'web-abc')], { 'rollouts-pod-template-hash': 'abc' }, 'Rollout', 'web'],
    ['a StatefulSet', [owner('StatefulSet', 'db')], {}, 'StatefulSet', 'db'],
    ['a Job', [owner('Job', 'once')], {}, 'Job', 'once'],
    ['a CronJob', [owner('Job', 'nightly-29384720')], {}, 'CronJob', 'nightly'],
    ["a Job that is only called like a CronJob's", [owner('Job', 'import-20260101')], {}, 'Job', 'import-20260101'],
  ])('%s', (_title, ownerReferences, labels, kind, name) => {
    const cronJobOf = (uid: string) => (uid === 'uid-nightly-29384720' ? 'nightly' : null);
    expect(workloadOf({ name: 'p', labels, ownerReferences }, cronJobOf)).toEqual({ kind, name });
  });
});
