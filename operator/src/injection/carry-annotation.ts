/**
 * `kubectl annotate deployment web tollgate.dev/inject=true` opts in: what is said on a workload's own metadata is carried
 * to its pod template within that very write, and off again with it. What a template says by itself stays.
 */
import { injectFault, oddInjectValue } from './inject-value.ts';
import type { JsonPatch } from './json-patch.ts';
import { patchMap } from './json-patch.ts';
import { CARRIED, INJECT } from './names.ts';
import { unknownAnnotations } from './pod-settings.ts';
import type { RefusalReason } from './reasons.ts';
import type { WorkloadObject } from './workload-object.ts';

export type Carrying =
  | {
      readonly outcome: 'carried' | 'removed' | 'unchanged';
      readonly patch: JsonPatch;
      /** Of the template, with the patch. */
      readonly annotations: Readonly<Record<string, string>>;
      readonly warnings: readonly string[];
    }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason; readonly message: string };

/** @param old the workload before the write; null at creation */
export const carryAnnotation = (workload: WorkloadObject, old: WorkloadObject | null): Carrying => {
  const template = workload.templateMetadata?.annotations ?? {};
  const odd = oddInjectValue(workload.annotations[INJECT]);
  // Only whoever writes the word now can put it right: an update of something else goes through, and so does a controller.
  if (odd !== null && !workload.isOwned && old?.annotations[INJECT] !== odd) {
    return { outcome: 'refused', reason: 'InvalidInjectValue', message: injectFault(odd) };
  }
  const changes: Record<string, string | null> = {};
  const warnings = [
    ...(odd === null ? [] : [`${injectFault(odd)}; it has no effect as it is`]),
    ...unknownAnnotations(workload.annotations),
  ];
  for (const key of CARRIED) {
    const said = workload.annotations[key];
    const was = old?.annotations[key];
    const there = template[key];
    // What has no effect is not worth a rollout. Where the template has had it, leaving it out would be one.
    if (key === INJECT && odd !== null && old?.templateMetadata?.annotations?.[key] !== odd) continue;
    if (said === there || (said === undefined && was === undefined)) continue;
    if (there !== undefined && there !== was) {
      // Somebody wrote it on the template: that is nearer to the pods.
      if (said !== undefined) warnings.push(`${key}: the pod template says "${cut(there)}", and that counts`);
      continue;
    }
    changes[key] = said ?? null;
  }
  const keys = Object.keys(changes);
  if (keys.length === 0) return { outcome: 'unchanged', patch: [], annotations: template, warnings };
  // The template of a Job can be said once.
  if (workload.kind === 'Job' && old !== null) {
    const late = `Job ${workload.name}: ${JOB_IS_MADE}`;
    return { outcome: 'unchanged', patch: [], annotations: template, warnings: [...warnings, late] };
  }
  const isOn = keys.some((key) => changes[key] !== null);
  return {
    outcome: isOn ? 'carried' : 'removed',
    patch: patchTemplate(workload, changes),
    annotations: present({ ...template, ...changes }),
    warnings: old === null || isSoAlready(old, changes) ? warnings : [...warnings, rollingText(workload, changes)],
  };
};

const JOB_IS_MADE = `its pods cannot be changed any more; make it again with the annotation ${INJECT}`;

const patchTemplate = (
  { templatePath, templateMetadata }: WorkloadObject,
  changes: Readonly<Record<string, string | null>>,
): JsonPatch => {
  if (templateMetadata !== null)
    return patchMap(`${templatePath}/metadata/annotations`, templateMetadata.annotations, changes);
  return [{ op: 'add', path: `${templatePath}/metadata`, value: { annotations: present(changes) } }];
};

const present = (values: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === null ? [] : [[key, value]])));

/** What the user's one word sets in motion. */
const rollingText = (
  { kind, name, rollout }: WorkloadObject,
  changes: Readonly<Record<string, string | null>>,
): string => {
  const [key = INJECT, ...more] = Object.keys(changes);
  const which = more.length === 0 ? `${key} is` : `${key} and ${more.length} more are`;
  const what = `${which} ${changes[key] === null ? 'taken off' : 'carried to'} the pod template of ${kind} ${name}`;
  switch (rollout.kind) {
    case 'now':
      return `${what}: ${rollout.pods === 1 ? '1 pod is' : `${rollout.pods} pods are`} replaced now`;
    case 'later':
      return `${what}: its pods are replaced ${rollout.when}`;
    case 'next':
      return `${what}: it holds for pods made from now on`;
    default:
      return rollout satisfies never;
  }
};

/** A client that sends the template as it wrote it, without what was carried, changes nothing. */
const isSoAlready = (old: WorkloadObject, changes: Readonly<Record<string, string | null>>): boolean =>
  Object.entries(changes).every(([key, value]) => (old.templateMetadata?.annotations?.[key] ?? null) === value);

const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);
