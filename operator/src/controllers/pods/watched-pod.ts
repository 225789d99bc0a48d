/** What is kept of a pod that does not carry the proxy: whether it asked for it, and whom it would be. */
import { oddInjectValue, wishIn } from '../../injection/inject-value.ts';
import { INJECT, INJECTED, MIRROR } from '../../injection/names.ts';
import { identityOf, type KubeObject } from '../../kube/kube-object.ts';

export interface WatchedPod extends KubeObject {
  /** What the pod says itself; null: nothing, and then its namespace decides. */
  readonly wish: boolean | null;
  /** A word of its that is neither yes nor no; null where there is none. */
  readonly oddWish: string | null;
  /** Made by the kubelet from a file of its own: nothing can be injected. */
  readonly isStatic: boolean;
}

/** All pods that the injector has not marked. */
export const WATCHED_SELECTOR = `${INJECTED}!=true`;
/** Pods that run, or will. */
export const ACTIVE_PODS = 'status.phase!=Succeeded,status.phase!=Failed';

export const toWatchedPod = ({ metadata }: KubeObject): WatchedPod => {
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata;
  const said = [annotations[INJECT], labels[INJECT]] as const;
  return {
    metadata: {
      ...identityOf(metadata),
      labels,
      ownerReferences: ownerReferences.filter(({ controller }) => controller === true),
    },
    wish: wishIn(...said),
    oddWish: oddInjectValue(...said),
    isStatic: annotations[MIRROR] !== undefined,
  };
};
