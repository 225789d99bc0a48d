/** Whether a pod is to be injected, by what it and its namespace say, before anything else of it is looked at. */
import type { NamespaceFacts } from './facts.ts';
import { injectFault, oddInjectValue, wishIn } from './inject-value.ts';
import { INJECT, INJECTION, MIRROR } from './names.ts';
import { annotationsOf, labelsOf, type Pod } from './pod.ts';
import type { Skip, SkipReason } from './reasons.ts';
import type { InjectionSettings } from './settings.ts';

/** The first that applies. Null: it is to be injected. */
export const whyNot = (pod: Pod, namespace: NamespaceFacts, settings: InjectionSettings): Skip | null => {
  const wish = wishOf(pod);
  const checks: readonly (readonly [boolean, SkipReason, string])[] = [
    [
      settings.excludedNamespaces.includes(namespace.name) || namespace.name === settings.systemNamespace,
      'NamespaceExcluded',
      `nothing is injected in namespace ${namespace.name}`,
    ],
    // The kubelet makes these from its own files; they cannot be changed.
    [annotationsOf(pod)[MIRROR] !== undefined, 'MirrorPod', 'static pods cannot be injected'],
    // Where injection is required, what follows is not for the pod to say.
    ...(namespace.mode === 'required' ? [] : wishes(wish, namespace)),
  ];
  const found = checks.find(([applies]) => applies);
  return found === undefined ? null : { reason: found[1], message: found[2] };
};

const wishes = (
  wish: boolean | null,
  namespace: NamespaceFacts,
): readonly (readonly [boolean, SkipReason, string])[] => [
  [
    namespace.mode === 'disabled',
    'NamespaceDisabled',
    `namespace ${namespace.name} has the label ${INJECTION}=disabled, which its pods cannot overrule`,
  ],
  [wish === false, 'OptedOut', `the pod says ${INJECT}: "false"`],
  [
    wish === null && namespace.mode !== 'enabled',
    'NotOptedIn',
    `neither the pod nor namespace ${namespace.name} asks for it`,
  ],
];

/** What the pod says itself, as annotation or label. Null: nothing that counts. */
export const wishOf = (pod: Pod): boolean | null => wishIn(annotationsOf(pod)[INJECT], labelsOf(pod)[INJECT]);

/** A word that is neither, which the user may take for a yes. */
export const unreadWish = (pod: Pod): string | null => {
  const odd = oddInjectValue(annotationsOf(pod)[INJECT], labelsOf(pod)[INJECT]);
  return odd === null ? null : `${injectFault(odd)}; it has no effect as it is`;
};
