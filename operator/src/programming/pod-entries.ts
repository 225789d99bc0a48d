/** The list of pods that the server takes hellos from, with who each of them is. Pure. */
import { imageName } from '../injection/image-name.ts';
import { INJECTED } from '../injection/names.ts';
import type { InjectedPod } from './injected-pod.ts';
import type { PodEntry } from './server-client.ts';
import { workloadOf } from './workload-owner.ts';

/** Whose containers of the proxy's name are the proxy. */
export interface ProxyImages {
  /** Repositories without tag or digest, since pods of former versions run on; null: any. */
  readonly proxyRepositories: readonly string[] | null;
}

export interface PodEntriesDeps extends ProxyImages {
  /** The label whose value is the team; without it, or where a pod lacks it, the namespace is. */
  readonly teamLabel: string | null;
  readonly cronJobOf: (jobUid: string) => string | null;
}

export const podEntries = (pods: readonly InjectedPod[], deps: PodEntriesDeps): readonly PodEntry[] =>
  pods.flatMap((pod) => entryOf(pod, deps) ?? []).sort((a, b) => (a.uid < b.uid ? -1 : 1));

/** Carries the proxy, and not only its label: who may edit pods may write any label on them. */
export const carriesProxy = (
  { proxyImage }: Pick<InjectedPod, 'proxyImage'>,
  { proxyRepositories }: ProxyImages,
): boolean =>
  proxyImage !== null && (proxyRepositories === null || proxyRepositories.includes(imageName(proxyImage).repository));

const entryOf = (pod: InjectedPod, deps: PodEntriesDeps): PodEntry | null => {
  const { uid, namespace, name, labels = {} } = pod.metadata;
  if (uid === undefined || namespace === undefined || !carriesProxy(pod, deps)) return null;
  const workload = workloadOf(pod.metadata, deps.cronJobOf);
  const { [INJECTED]: _, ...own } = labels;
  return {
    uid,
    namespace,
    name,
    workload: workload.name,
    workloadKind: workload.kind,
    serviceAccount: pod.serviceAccount,
    labels: Object.fromEntries(Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1))),
    team: (deps.teamLabel === null ? undefined : own[deps.teamLabel]) || namespace,
    configHash: pod.configHash,
  };
};
