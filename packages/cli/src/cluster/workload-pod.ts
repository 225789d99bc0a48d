/** The pod that a workload makes, as the injector would come to see it. Pure. */
import jsonPatch from 'fast-json-patch';
import {
  carryAnnotation,
  INJECT,
  injectFault,
  isMap,
  oddInjectValue,
  parseWorkload,
  templatePod,
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
  /** What it says of the proxy by a word that is neither yes nor no: as it stands, it would be refused. Null: it does not. */
  readonly fault: string | null;
  /** What it is annotated with itself, as it stands; null: nothing. */
  readonly said: string | null;
  /** What its template says by itself counts, whatever is annotated on the workload. */
  readonly isSaidByTemplate: boolean;
}

/** Null where it is no workload of a known kind, or one whose template cannot be read. */
export const workloadPod = (kind: string, object: unknown): WorkloadPod | null => {
  const workload = parseWorkload(kind, object);
  if (workload === null || typeof object !== 'object' || object === null) return null;
  const carrying = carryAnnotation(workload, null);
  const carried = carrying.outcome === 'refused' ? AS_IT_IS : carrying;
  const template = readPointer(patched(object, carried.patch), workload.templatePath);
  if (!isMap(template)) return null;
  const own = workload.templateMetadata?.annotations ?? {};
  const pod = templatePod(workload, carrying.outcome === 'refused' ? own : carrying.annotations);
  if (pod === null) return null;
  const [said, there] = [workload.annotations[INJECT], own[INJECT]];
  const odd = oddInjectValue(said, there, pod.metadata.labels?.[INJECT]);
  return {
    kind: workload.kind,
    name: workload.name,
    pod,
    template: { ...template, metadata: isMap(template['metadata']) ? template['metadata'] : {} },
    templatePath: workload.templatePath,
    warnings: carried.warnings,
    fault: odd === null ? null : injectFault(odd),
    said: said ?? null,
    isSaidByTemplate: there !== undefined && there !== said,
  };
};

const AS_IT_IS = { patch: [], warnings: [] } as const;

/** A copy with the patch applied, as the API server would. */
export const patched = <T extends object>(object: T, patch: JsonPatch): T =>
  jsonPatch.applyPatch(structuredClone(object), structuredClone([...patch]) as jsonPatch.Operation[]).newDocument;

const readPointer = (object: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((value, segment) => (isMap(value) ? value[segment] : undefined), object);
