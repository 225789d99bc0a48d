/** What is said on a pod that ought to carry the proxy, and what would help. Pure. */
import { injectFault } from '../../injection/inject-value.ts';
import type { LastingObstacle } from '../../injection/lasting-obstacle.ts';
import type { WatchedPod } from './watched-pod.ts';

/** The pod asks for the proxy, or its namespace does, or it poses as injected. */
export const PROXY_MISSING = 'ProxyMissing';
/** The pod says something of it that is neither yes nor no. */
export const INVALID_INJECT_VALUE = 'InvalidInjectValue';

/** Of the pod if it were made again; null: it would be injected; `unknown`: nobody could tell. */
export type Prospect = LastingObstacle | 'unknown' | null;

export const missingNote = (said: string, isOwned: boolean, prospect: Prospect): string =>
  `${said}, and there is none in the pod: its calls are not metered and no budget holds them. ` +
  remedyOf(isOwned, prospect);

const remedyOf = (isOwned: boolean, prospect: Prospect): string => {
  const again = isOwned ? 'delete it, or restart its workload' : 'delete it and make it again';
  if (prospect === null) return `It was made before that was asked, or while the injector was away; ${again}.`;
  if (prospect === 'unknown') {
    return `It was made before that was asked, or while the injector was away, or cannot carry one: ${again}, and an event says why.`;
  }
  const { outcome, reason, message } = prospect;
  return outcome === 'skipped'
    ? `It cannot carry one: ${message} (${reason}).`
    : `Made again it would be refused: ${message} (${reason}).`;
};

export const oddValueNote = (odd: string, { metadata }: WatchedPod): string =>
  `${injectFault(odd)}: as it is, it asks for nothing, the pod has no proxy and its calls are not metered. ` +
  ((metadata.ownerReferences ?? []).length === 0
    ? 'Make the pod again with the word that is meant.'
    : 'Write the word that is meant on its workload.');
