/** The pods that carry the proxy as it was injected, by UID. Replaced whole. */
import type { Subject } from '@tollgate/api';

export interface InjectedPod {
  readonly uid: string;
  readonly subject: Subject;
  /** Of what was injected; null: not told. */
  readonly configHash: string | null;
}

export interface PodDirectory {
  replace(pods: readonly InjectedPod[]): void;
  has(uid: string): boolean;
  /** Whom the proxy of this pod speaks for; null: it is none of those that were injected, or not known yet. */
  subjectOf(uid: string): Subject | null;
  count(): number;
}

export const makePodDirectory = (): PodDirectory => {
  let byUid: ReadonlyMap<string, InjectedPod> = new Map();
  return {
    replace: (pods) => {
      byUid = new Map(pods.map((pod) => [pod.uid, pod]));
    },
    has: (uid) => byUid.has(uid),
    subjectOf: (uid) => byUid.get(uid)?.subject ?? null,
    count: () => byUid.size,
  };
};
