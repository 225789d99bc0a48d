/** Applies a patch as the API server does. */
import jsonPatch from 'fast-json-patch';
import type { JsonPatch } from '../json-patch.ts';
import { PodSchema, type Container, type Pod } from '../pod.ts';

/** Throws for a patch that does not fit, as the API server would refuse it. */
export const applied = <T extends object>(object: T, patch: JsonPatch): T =>
  jsonPatch.applyPatch(structuredClone(object), structuredClone([...patch]) as never, true).newDocument;

export const patched = (pod: Pod, patch: JsonPatch): Pod => PodSchema.parse(applied(pod, patch));

export const containerOf = ({ spec }: Pod, name: string): Container => {
  const found = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].find((one) => one.name === name);
  if (found === undefined) throw new Error(`the pod has no container ${name}`);
  return found;
};

/** By name; of several the last counts. */
export const envOf = (pod: Pod, container: string): Readonly<Record<string, string>> =>
  Object.fromEntries((containerOf(pod, container).env ?? []).map(({ name, value }) => [name, value ?? '(valueFrom)']));
