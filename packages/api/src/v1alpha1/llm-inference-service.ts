/** LLMInferenceService: a model that runs in the cluster. Field names are KServe's, so that a manifest ports by its apiVersion. */
import { z } from 'zod';
import { usd } from './amounts.ts';
import { conditions, observedGeneration } from './conditions.ts';
import { API_VERSION } from './group.ts';
import { listAtomic, withKubernetes, withPattern } from './kubernetes-schema.ts';
import { ObjectMetaSchema } from './metadata.ts';
import { int32 } from './whole-number.ts';

/** Too large a schema to repeat (a PodSpec), or KServe's own business. */
const asWritten = (description: string) =>
  withKubernetes(z.record(z.string(), z.unknown()).describe(description), { preserveUnknownFields: true });

const stringMap = (description: string) => z.record(z.string().max(317), z.string()).describe(description);

const count = (minimum: number, description: string) => int32(minimum).optional().describe(description);

const ParallelismSchema = z.strictObject({
  tensor: count(1, 'Devices that share each layer.'),
  pipeline: count(1, 'Devices that the layers are split over.'),
  data: count(1, 'Copies of the model.'),
  dataLocal: count(1, 'Copies of the model on one node.'),
  dataRPCPort: int32(1, 65535).optional().describe('Port over which the copies talk.'),
  expert: z.boolean().optional().describe('Spread the experts of a mixture over the devices.'),
});

const workload = {
  replicas: count(0, 'Pods to run.'),
  parallelism: ParallelismSchema.optional().describe('How one copy of the model is spread over devices.'),
  labels: stringMap('Labels of the pods.').optional(),
  annotations: stringMap('Annotations of the pods.').optional(),
  template: asWritten('Pod to run, a PodSpec. Kubernetes checks it when it is applied.').optional(),
  worker: asWritten('Pod of the workers of a multi-node model, a PodSpec.').optional(),
};

export const LLMInferenceServiceSpecSchema = z
  .strictObject({
    model: z
      .strictObject({
        uri: withPattern(z.string().min(1).max(2048), {
          pattern: /^(hf|s3|pvc|oci|gs|https|http):\/\//,
          message: 'must be an address such as hf://organisation/model, s3://, pvc://, oci://, gs:// or https://',
        }).describe('Where the weights come from.'),
        name: z.string().max(256).optional().describe('Name that callers ask for.'),
      })
      .describe('The model.'),
    ...workload,
    prefill: z.strictObject(workload).optional().describe('Pods that only read prompts.'),
    router: z
      .strictObject({
        route: asWritten('Route of the service, as KServe has it.').optional(),
        gateway: asWritten('Gateway of the service, as KServe has it.').optional(),
        scheduler: asWritten('Scheduler of the service, as KServe has it.').optional(),
      })
      .optional()
      .describe('How calls reach the pods.'),
    baseRefs: listAtomic(
      z
        .array(z.strictObject({ name: z.string().min(1).max(253).describe('Name of the configuration.') }))
        .max(16)
        .describe('Configurations that this one builds on.'),
    ).optional(),
    pricing: z
      .strictObject({
        currency: z.enum(['USD']).default('USD').describe('Currency of the prices.'),
        inputPerMillion: usd().optional().describe('USD per million input tokens.'),
        outputPerMillion: usd().optional().describe('USD per million output tokens.'),
      })
      .optional()
      .describe('What the model costs those who call it.'),
  })
  .describe('The model and how it runs.');

const figure = (description: string) => z.string().max(64).optional().describe(description);

export const LLMInferenceServiceStatusSchema = z
  .object({
    observedGeneration: observedGeneration(),
    url: z.string().max(2048).optional().describe('Where the model is reached.'),
    addresses: listAtomic(
      z
        .array(
          z.object({
            name: z.string().max(253).optional().describe('Name of the address.'),
            url: z.string().max(2048).optional().describe('The address.'),
          }),
        )
        .max(16)
        .describe('All addresses of the model.'),
    ).optional(),
    replicas: int32(0).optional().describe('Pods that run.'),
    readyReplicas: int32(0).optional().describe('Pods that are ready.'),
    tokensPerSecond: figure('Output tokens a second, over the last five minutes, as the proxies saw them.'),
    ttftP95: figure('Time until the first token that 19 of 20 calls waited at most, over the last five minutes.'),
    cost: figure('What its callers were charged in the last five minutes.'),
    conditions: conditions(),
  })
  .describe('How the model fares.');

export const LLMInferenceServiceSchema = withKubernetes(
  z
    .strictObject({
      apiVersion: z.literal(API_VERSION).describe('Group and version of the kind.'),
      kind: z.literal('LLMInferenceService').describe('The kind.'),
      metadata: ObjectMetaSchema,
      spec: LLMInferenceServiceSpecSchema,
      status: LLMInferenceServiceStatusSchema.optional(),
    })
    .describe('LLMInferenceService runs a language model in the cluster and says what it costs.'),
  {
    kind: {
      kind: 'LLMInferenceService',
      plural: 'llminferenceservices',
      singular: 'llminferenceservice',
      shortNames: ['llmis'],
      categories: ['llm'],
      columns: [
        { name: 'Model', type: 'string', jsonPath: '.spec.model.name' },
        { name: 'URL', type: 'string', jsonPath: '.status.url' },
        { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason', priority: 1 },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  },
);

export type LLMInferenceService = z.output<typeof LLMInferenceServiceSchema>;
export type LLMInferenceServiceStatus = z.output<typeof LLMInferenceServiceStatusSchema>;
