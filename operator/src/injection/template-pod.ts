/** The pods that a workload's template makes, before there are any. */
import { PodSchema, type Pod } from './pod.ts';
import { isMap } from './json-value.ts';
import type { WorkloadObject } from './workload-object.ts';

/** One of them, as the injector would come to see it. Null where the template cannot be read. */
export const templatePod = (
  { kind, name, template }: WorkloadObject,
  annotations: Readonly<Record<string, string>>,
): Pod | null => {
  const metadata = isMap(template['metadata']) ? template['metadata'] : {};
  const parsed = PodSchema.safeParse({
    metadata: {
      labels: metadata['labels'],
      annotations,
      generateName: `${name}-`,
      ownerReferences: [{ apiVersion: 'v1', kind, name, uid: '', controller: true }],
    },
    spec: template['spec'],
  });
  return parsed.success ? parsed.data : null;
};
