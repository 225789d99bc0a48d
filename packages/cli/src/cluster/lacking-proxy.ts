/** What is said of a pod that ought to carry the proxy and does not: what would help, and what would not. Pure. */
import { injectFault } from '@tollgate/operator/injection';
import type { Prospect } from '@tollgate/operator/inspection';
import { finding, type Finding } from './finding.ts';

interface Lacking {
  readonly isOwned: boolean;
  readonly prospect: Prospect;
}

/** @param object as kubectl names it: `pod/NAME -n NAMESPACE` */
export const lackingProxy = (object: string, { isOwned, prospect }: Lacking): Finding => {
  const source = isOwned ? 'its workload' : 'it';
  if (prospect === null) {
    const again = isOwned ? ': its workload makes it again, injected' : ', and make it again: nothing else does';
    return finding('error', object, UNMETERED, `kubectl delete ${object}${again}`);
  }
  if (prospect === 'unknown') {
    const hint = `restart ${source}; if it lacks it still, an event says why: kubectl get events ${namespaceOf(object)}`;
    return finding('error', object, UNMETERED, hint);
  }
  const { outcome, message, reason } = prospect;
  return outcome === 'skipped'
    ? finding(
        'error',
        object,
        `asks for the proxy and cannot carry it, so that its calls are not metered: ${message} (${reason})`,
        `change ${source} so that it can, or let it ask no more`,
      )
    : finding(
        'error',
        object,
        `asks for the proxy and lacks it; made again it would be refused: ${message} (${reason})`,
        `change ${source} before the pod is made again`,
      );
};

export const unclearWish = (object: string, word: string): Finding =>
  finding(
    'warning',
    object,
    `${injectFault(word)}: as it is, it asks for nothing`,
    'write the word that is meant where the pod comes from: on its workload, or in its pod template',
  );

const UNMETERED = 'asks for the proxy and lacks it: its calls are not metered';

const namespaceOf = (object: string): string => object.slice(object.indexOf('-n '));
