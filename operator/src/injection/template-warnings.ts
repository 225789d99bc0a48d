/**
 * What comes of the pods that a template makes, for whoever writes the template. What is said of the pods themselves goes
 * to the controller that makes them.
 */
import type { NamespaceFacts } from './facts.ts';
import { injectPod } from './inject-pod.ts';
import { wishOf } from './opt-in.ts';
import type { Pod } from './pod.ts';
import type { InjectionSettings } from './settings.ts';

/** @param namespace what its label says is not told here, and not needed: the pods ask by themselves, or nothing is said. */
export const templateWarnings = (
  pod: Pod,
  namespace: Omit<NamespaceFacts, 'mode'>,
  settings: InjectionSettings,
): readonly string[] => {
  // As where all pods are asked for, so that settings are read for a namespace that does.
  const injection = injectPod(pod, { ...namespace, mode: 'enabled' }, settings);
  const isAsked = wishOf(pod) === true;
  switch (injection.outcome) {
    case 'skipped':
      return isAsked ? [`its pods cannot carry the proxy and run unmetered: ${injection.message}`] : [];
    case 'refused':
      return isAsked ? [`its pods will be refused: ${injection.message} (${injection.reason})`] : [];
    case 'injected':
    case 'repaired':
    case 'already':
      return injection.warnings;
    default:
      return injection satisfies never;
  }
};
