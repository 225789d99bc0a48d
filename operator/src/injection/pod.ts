/**
 * A pod as far as injection reads it. Everything else is left where it is: the answer is a patch, so nothing of a pod is
 * ever written back that was not meant.
 */
import { z } from 'zod';

const text = z.string();
const texts = z.record(z.string(), z.string());

const EnvVarSchema = z.looseObject({
  name: text,
  value: text.nullish(),
  valueFrom: z.looseObject({}).nullish(),
});

const MountSchema = z.looseObject({ name: text, mountPath: text });

const SecurityContextSchema = z.looseObject({ runAsUser: z.number().nullish() });

const ContainerSchema = z.looseObject({
  name: text,
  image: text.nullish(),
  restartPolicy: text.nullish(),
  env: z.array(EnvVarSchema).nullish(),
  envFrom: z.array(z.unknown()).nullish(),
  ports: z.array(z.looseObject({ containerPort: z.number(), hostPort: z.number().nullish() })).nullish(),
  volumeMounts: z.array(MountSchema).nullish(),
  securityContext: SecurityContextSchema.nullish(),
});

const VolumeSchema = z.looseObject({
  name: text,
  projected: z
    .looseObject({
      sources: z
        .array(z.looseObject({ serviceAccountToken: z.looseObject({ audience: text.nullish() }).nullish() }))
        .nullish(),
    })
    .nullish(),
});

const OwnerSchema = z.looseObject({
  apiVersion: text,
  kind: text,
  name: text,
  uid: text,
  controller: z.boolean().nullish(),
});

export const PodSchema = z.looseObject({
  metadata: z.looseObject({
    name: text.nullish(),
    generateName: text.nullish(),
    labels: texts.nullish(),
    annotations: texts.nullish(),
    ownerReferences: z.array(OwnerSchema).nullish(),
  }),
  spec: z.looseObject({
    containers: z.array(ContainerSchema).nullish(),
    initContainers: z.array(ContainerSchema).nullish(),
    volumes: z.array(VolumeSchema).nullish(),
    serviceAccountName: text.nullish(),
    hostNetwork: z.boolean().nullish(),
    hostPID: z.boolean().nullish(),
    shareProcessNamespace: z.boolean().nullish(),
    os: z.looseObject({ name: text }).nullish(),
    nodeSelector: texts.nullish(),
    securityContext: SecurityContextSchema.nullish(),
  }),
});

export type Pod = z.output<typeof PodSchema>;
export type Container = z.output<typeof ContainerSchema>;
export type EnvVar = z.output<typeof EnvVarSchema>;
export type Volume = z.output<typeof VolumeSchema>;
export type Owner = z.output<typeof OwnerSchema>;

/** Init containers first, in the order in which they start. */
export const containersOf = ({ spec }: Pod): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
];

export const annotationsOf = ({ metadata }: Pod): Readonly<Record<string, string>> => metadata.annotations ?? {};

export const labelsOf = ({ metadata }: Pod): Readonly<Record<string, string>> => metadata.labels ?? {};
