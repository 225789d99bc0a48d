/** The pod that a workload makes, as the injector would come to see it. Pure. */
import jsonPatch from 'fast-json-patch';
import {
  carryAnnotation,
  isMap,
  parseWorkload,
  PodSchema,
  type JsonPatch,
  type Pod,
  type WorkloadKind,
} from '@tollgate/operator/injection';

export interface WorkloadPod {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly pod: Pod;
  /** As it is written, with what is carried to it. */
  readonly template: Readonly<Record<string, unknown>>;
  /** Pointer of the template in the workload, such as `/spec/template`. */
  readonly templatePath: string;
  /** Of carrying its annotations to the template. */
  readonly warnings: readonly string[];
}

/** Null where it is no workload of a known kind, or one whose template cannot be read. */
export const workloadPod = (kind: string, object: unknown): WorkloadPod | null => {
  const workload = parseWorkload(kind, object);
  if (workload === null || typeof object !== 'object' || object === null) return null;
  const carried = carryAnnotation(workload, null);
  const template = readPointer(patched(object, carried.patch), workload.templatePath);
  if (!isMap(template)) return null;
  const metadata = isMap(template['metadata']) ? template['metadata'] : {};
  const owner = { apiVersion: 'v1', kind: workload.kind, name: workload.name, uid: '', controller: true };
  const parsed = PodSchema.safeParse({
    metadata: {
      labels: metadata['labels'],
      annotations: metadata['annotations'],
      generateName: `${workload.name}-`,
      ownerReferences: [owner],
    },
    spec: template['spec'],
  });
  if (!parsed.success) return null;
  return {
    kind: workload.kind,
    name: workload.name,
    pod: parsed.data,
    template: { ...template, metadata },
    templatePath: workload.templatePath,
    warnings: carried.warnings,
  };
};

/** A copy with the patch applied, as the API server would. */
export const patched = <T extends object>(object: T, patch: JsonPatch): T =>
  jsonPatch.applyPatch(structuredClone(object), structuredClone([...patch]) as jsonPatch.Operation[]).newDocument;

const readPointer = (object: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((value, segment) => (isMap(value) ? value[segment] : undefined), object);
