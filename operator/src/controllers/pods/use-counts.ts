/** How many pods carry the proxy and do not use it, or not for all of their calls. Pure. */
import { keyOf } from '../../kube/kube-object.ts';
import type { InjectedPod } from '../../programming/injected-pod.ts';
import type { PodFinding } from '../../programming/server-views.ts';
import { callsDirectly, isUnused, podAgeMs } from './use-notes.ts';

export interface UseCounts {
  /** With connections to providers past their proxy. */
  readonly direct: number;
  /** Of an age at which one that never called is told of. A pod may be both. */
  readonly unused: number;
}

export interface UseCountsContext {
  /** What the server knows of a pod, by its key. */
  readonly findingOf: (key: string) => PodFinding | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** From what age on a pod that never called is told of, in milliseconds. */
  readonly unusedAfterMs: number;
}

export const useCounts = (
  pods: readonly InjectedPod[],
  { findingOf, now, unusedAfterMs }: UseCountsContext,
): UseCounts => {
  let direct = 0;
  let unused = 0;
  for (const { metadata } of pods) {
    const finding = findingOf(keyOf(metadata));
    if (finding === null) continue;
    if (callsDirectly(finding)) direct += 1;
    if (isUnused(finding, { ageMs: podAgeMs(metadata, now), unusedAfterMs })) unused += 1;
  }
  return { direct, unused };
};
