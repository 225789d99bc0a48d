/** Fields of KServe's kind that a manifest may carry and nothing here reads. Said, never passed over. Pure. */
import type { LLMInferenceService } from '@tollgate/api';

export const unsupportedFields = ({ spec }: LLMInferenceService): readonly string[] => {
  const { gateway, scheduler, route = {} } = spec.router ?? {};
  const checks: readonly (readonly [boolean, string])[] = [
    [spec.prefill !== undefined, 'spec.prefill'],
    [spec.worker !== undefined, 'spec.worker'],
    [(spec.baseRefs ?? []).length > 0, 'spec.baseRefs'],
    [gateway !== undefined, 'spec.router.gateway'],
    [scheduler !== undefined, 'spec.router.scheduler'],
    ...Object.keys(route)
      .filter((field) => field !== 'group' && field !== 'weight')
      .map((field) => [true, `spec.router.route.${field}`] as const),
    ...Object.entries(spec.parallelism ?? {})
      // One of anything is what there is anyway.
      .filter(([, value]) => value !== undefined && value !== 1 && value !== false)
      .map(([field]) => [true, `spec.parallelism.${field}`] as const),
  ];
  return checks.flatMap(([isThere, path]) => (isThere ? [path] : []));
};

/** What has to be there, and what it has to be like. Null: well. */
export const templateFault = ({ metadata, spec }: LLMInferenceService): string | null => {
  if (spec.template === undefined) {
    return 'spec.template: is required here: name the image that serves the model in a container called main';
  }
  const { containers } = spec.template;
  if (!Array.isArray(containers) || containers.length === 0) return 'spec.template.containers: must have an entry';
  const names = containers.map((container: unknown) =>
    typeof container === 'object' && container !== null && 'name' in container ? container.name : null,
  );
  if (containers.length > 1 && !names.includes('main')) {
    return 'spec.template.containers: one of several must be called main, which is the one that serves the model';
  }
  if (!/^[a-z]([-a-z0-9]{0,57}[a-z0-9])?$/.test(metadata.name)) {
    return 'metadata.name: must be at most 59 lower-case letters, digits and "-", begun by a letter: a Service is called after it';
  }
  const { group, weight } = spec.router?.route ?? {};
  if (group !== undefined && (typeof group !== 'string' || group === '')) {
    return 'spec.router.route.group: must be a text that the services which share their calls have in common';
  }
  if (weight !== undefined && !(typeof weight === 'number' && Number.isInteger(weight) && weight >= 0)) {
    return 'spec.router.route.weight: must be a whole number of 0 or more';
  }
  return null;
};
