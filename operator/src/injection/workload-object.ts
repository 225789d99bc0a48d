/** A workload as far as carrying annotations reads it: where its pod template is, and how many pods a change of it rolls. */
import { z } from 'zod';

const annotated = z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() });
const owner = z.looseObject({ controller: z.boolean().nullish() });
const templateSpec = z.looseObject({ template: z.looseObject({ metadata: annotated.nullish() }) });

const WorkloadSchema = z.looseObject({
  metadata: annotated.extend({
    name: z.string().nullish(),
    generateName: z.string().nullish(),
    ownerReferences: z.array(owner).nullish(),
  }),
  spec: z.looseObject({
    template: z.looseObject({ metadata: annotated.nullish() }).nullish(),
    jobTemplate: z.looseObject({ spec: templateSpec }).nullish(),
    replicas: z.int().nullish(),
    paused: z.boolean().nullish(),
    updateStrategy: z.looseObject({ type: z.string().nullish() }).nullish(),
  }),
  status: z.looseObject({ desiredNumberScheduled: z.int().nullish() }).nullish(),
});

export const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob', 'Job'] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export interface WorkloadObject {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** A controller made it, as a CronJob makes Jobs: nobody reads what it is told. */
  readonly isOwned: boolean;
  readonly template: Readonly<Record<string, unknown>>;
  /** Pointer of the template, such as `/spec/template`. */
  readonly templatePath: string;
  /** Null: the template has no `metadata` at all. */
  readonly templateMetadata: { readonly annotations: Readonly<Record<string, string>> | null } | null;
  readonly rollout: Rollout;
}

/** What a change of the template does to the pods that run. */
export type Rollout =
  | { readonly kind: 'now'; readonly pods: number }
  /** A paused Deployment rolls when it goes on; `OnDelete` waits for each pod to be deleted. */
  | { readonly kind: 'later'; readonly when: string }
  /** Only pods that are made from now on. */
  | { readonly kind: 'next' };

/** Null where it is none of the kinds, or has no pod template where that kind has it. */
export const parseWorkload = (kind: string, object: unknown): WorkloadObject | null => {
  const known = WORKLOAD_KINDS.find((candidate) => candidate === kind);
  const parsed = WorkloadSchema.safeParse(object);
  if (known === undefined || !parsed.success) return null;
  const { metadata, spec, status } = parsed.data;
  const template = known === 'CronJob' ? spec.jobTemplate?.spec.template : spec.template;
  if (template == null) return null;
  return {
    kind: known,
    name: metadata.name ?? metadata.generateName ?? '',
    annotations: metadata.annotations ?? {},
    isOwned: (metadata.ownerReferences ?? []).some(({ controller }) => controller === true),
    template,
    templatePath: known === 'CronJob' ? '/spec/jobTemplate/spec/template' : '/spec/template',
    templateMetadata: template.metadata == null ? null : { annotations: template.metadata.annotations ?? null },
    rollout: rolloutOf(known, spec, status?.desiredNumberScheduled ?? 0),
  };
};

const rolloutOf = (
  kind: WorkloadKind,
  { replicas, paused, updateStrategy }: z.output<typeof WorkloadSchema>['spec'],
  scheduled: number,
): Rollout => {
  if (kind === 'CronJob' || kind === 'Job') return { kind: 'next' };
  if (kind === 'Deployment' && paused === true) return { kind: 'later', when: 'when the Deployment is resumed' };
  if (updateStrategy?.type === 'OnDelete') return { kind: 'later', when: 'as each is deleted (OnDelete)' };
  // One where it is not said: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#replicas
  return { kind: 'now', pods: kind === 'DaemonSet' ? scheduled : (replicas ?? 1) };
};
