/** ModelRoute: where a call to a model goes, at which price, and what is tried next when that fails. */
import { z } from 'zod';
import { usd } from './amounts.ts';
import { ConditionStatusSchema, conditions, observedGeneration } from './conditions.ts';
import { API_VERSION } from './group.ts';
import { listMap, listSet, withKubernetes, withPattern, withRule } from './kubernetes-schema.ts';
import { ObjectMetaSchema } from './metadata.ts';
import { labelMatch } from './selectors.ts';
import { int32, int64 } from './whole-number.ts';

const DURATION = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

const NOT_DURATION = 'must be a duration, such as 30s, 10m or 1h30m';
/** All who may view the route read its address, so a credential has no place in it; and a query would not survive the path of a call. */
const BASE_URL = /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/;

const objectName = (description: string) => z.string().min(1).max(253).describe(description);

const entryName = (description: string) => z.string().min(1).max(63).describe(description);

const duration = () =>
  withRule(withPattern(z.string().max(28), { pattern: DURATION, message: NOT_DURATION }), {
    cel: "self.matches('[1-9]')",
    message: 'must be more than 0',
    reads: 'value',
    holds: (text) => /[1-9]/.test(text),
  });

const baseUrl = () =>
  withRule(
    withPattern(z.string().max(2048), {
      pattern: BASE_URL,
      message:
        'must be an https:// or http:// address without user, password, query or fragment, such as ' +
        'https://api.openai.com/v1; a key belongs in a Secret that credentialsSecretRef names',
    }),
    {
      cel: "!self.matches(r'^https?://(169\\.254\\.|0\\.|\\[[fF][eE]80:)')",
      message: 'link-local addresses, such as those of metadata services, are never called',
      reads: 'value',
      holds: (text) => !/^https?:\/\/(169\.254\.|0\.|\[fe80:)/i.test(text),
    },
  );

const ProviderSchema = withRule(
  z.strictObject({
    type: z
      .enum(['OpenAI', 'Anthropic', 'AzureOpenAI', 'Gemini', 'Bedrock', 'OpenAICompatible'])
      .describe('Whose API the backend speaks.'),
    baseUrl: baseUrl()
      .optional()
      .describe(
        "Base URL as the provider's SDK takes it, such as https://api.openai.com/v1 or https://api.anthropic.com; the " +
          "provider's own if absent. http:// only to addresses of the cluster's own network.",
      ),
    credentialsSecretRef: z
      .strictObject({
        name: objectName('Name of the Secret, in the namespace of the route.'),
        key: objectName('Key in the Secret that holds the API key.'),
      })
      .optional()
      .describe("The API key to send; the caller's own if absent."),
  }),
  {
    cel: "self.type != 'OpenAICompatible' || has(self.baseUrl)",
    message: 'baseUrl is required for type OpenAICompatible',
    reads: ['type'],
    holds: ({ type, baseUrl }) => type !== 'OpenAICompatible' || baseUrl !== undefined,
  },
);

const ServiceRefSchema = z.strictObject({
  name: objectName('Name of the Service, in the namespace of the route.'),
  port: int32(1, 65535).describe('Port of the Service.'),
});

const InferenceServiceRefSchema = z.strictObject({
  group: z.enum(['tollgate.dev', 'serving.kserve.io']).default('tollgate.dev').describe('API group of the kind.'),
  kind: z.enum(['LLMInferenceService']).default('LLMInferenceService').describe('The kind.'),
  name: objectName('Name of the object, in the namespace of the route.'),
});

const PriceSchema = withRule(
  z.strictObject({
    free: z
      .boolean()
      .optional()
      .describe('This backend costs nothing. Said explicitly: an unknown price is never zero.'),
    inputPerMillion: usd().optional().describe('USD per million input tokens.'),
    cachedInputPerMillion: usd().optional().describe('USD per million input tokens that came from the provider cache.'),
    cacheWritePerMillion: usd().optional().describe('USD per million input tokens written to the provider cache.'),
    outputPerMillion: usd().optional().describe('USD per million output tokens, reasoning included.'),
  }),
  {
    cel:
      '!has(self.free) || !self.free || (!has(self.inputPerMillion) && !has(self.cachedInputPerMillion) && ' +
      '!has(self.cacheWritePerMillion) && !has(self.outputPerMillion))',
    message: 'free: true leaves no price to state',
    reads: 'presence',
    holds: ({ free, ...stated }) => free !== true || Object.values(stated).every((price) => price === undefined),
  },
);

const BackendSchema = withRule(
  z.strictObject({
    name: entryName('Name of the backend, unique in its rule.'),
    provider: ProviderSchema.optional().describe('A hosted API.'),
    serviceRef: ServiceRefSchema.optional().describe('A Service that speaks the API of OpenAI.'),
    inferenceServiceRef: InferenceServiceRefSchema.optional().describe('A model served in the cluster.'),
    model: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Model that is asked of this backend; as the caller asked if absent.'),
    weight: int32(0, 1_000_000)
      .default(1)
      .describe('Share of the calls among backends of the same priority; 0 takes none.'),
    priority: int32(0, 15).default(0).describe('Lower is tried first.'),
    price: PriceSchema.optional().describe('Prices that replace those of the table for this backend; the others stay.'),
  }),
  {
    cel: '(has(self.provider) ? 1 : 0) + (has(self.serviceRef) ? 1 : 0) + (has(self.inferenceServiceRef) ? 1 : 0) == 1',
    message: 'exactly one of provider, serviceRef or inferenceServiceRef must be set',
    reads: 'presence',
    holds: ({ provider, serviceRef, inferenceServiceRef }) =>
      [provider, serviceRef, inferenceServiceRef].filter((target) => target !== undefined).length === 1,
  },
);

const FallbackSchema = z.strictObject({
  when: listSet(
    z
      .array(z.enum(['ConnectError', 'Timeout', 'ServerError', 'RateLimited', 'BudgetExceeded']))
      .max(8)
      .describe('What makes the next backend be tried.'),
  ).optional(),
  maxAttempts: int32(1, 5).default(2).describe('Most attempts of one call, the first included.'),
});

const TimeoutsSchema = z.strictObject({
  request: duration().optional().describe('Longest time for a whole call, such as 10m.'),
  firstByte: duration().optional().describe('Longest time until the answer begins, such as 30s.'),
});

const RuleSchema = withRule(
  z.strictObject({
    name: entryName('Name of the rule, unique in its route.'),
    models: listSet(
      z
        .array(z.string().min(1).max(256))
        .max(32)
        .describe('Models that this rule serves, exact or with "*" for any run of characters; empty serves all.'),
    ).optional(),
    backends: listMap(z.array(BackendSchema).min(1).max(16).describe('Where the call may go.'), ['name']),
    fallback: FallbackSchema.optional().describe('When the next backend is tried; never if absent.'),
    timeouts: TimeoutsSchema.optional().describe('How long a call may take.'),
  }),
  {
    cel: 'self.backends.exists(b, b.weight > 0)',
    message: 'at least one backend needs a weight above 0',
    reads: ['backends'],
    holds: ({ backends }) => backends.some(({ weight }) => weight > 0),
  },
);

export const ModelRouteSpecSchema = z
  .strictObject({
    selector: labelMatch('Pods whose calls take this route; all of the namespace if absent.').optional(),
    rules: listMap(
      z
        .array(RuleSchema)
        .min(1)
        .max(16)
        .describe(
          'The first rule that serves the model is taken; of several routes, those are asked by their names, a before b.',
        ),
      ['name'],
    ),
  })
  .describe('Where calls go.');

const SummarySchema = z.object({
  models: z.string().max(256).optional().describe('The models served.'),
  backends: z.string().max(64).optional().describe('Healthy backends, of how many.'),
});

const BackendStatusSchema = z.object({
  rule: z.string().max(63).describe('The rule of the backend.'),
  name: z.string().max(63).describe('The backend.'),
  url: z.string().max(2048).optional().describe('Where it is reached.'),
  healthy: ConditionStatusSchema.optional().describe('Whether it answers.'),
  requests: int64(0).optional().describe('Calls in the last five minutes.'),
  errors: int64(0).optional().describe('Of these calls, those that failed.'),
  latencyP95: z.string().max(32).optional().describe('Time that 19 of 20 of these calls took at most.'),
  lastError: z.string().max(256).optional().describe('The last error, if any.'),
});

export const ModelRouteStatusSchema = z
  .object({
    observedGeneration: observedGeneration(),
    summary: SummarySchema.optional().describe('The figures of the columns.'),
    backends: listMap(z.array(BackendStatusSchema).max(256).describe('The state of each backend.'), [
      'rule',
      'name',
    ]).optional(),
    conditions: conditions(),
  })
  .describe('How the route fares.');

export const ModelRouteSchema = withKubernetes(
  z
    .strictObject({
      apiVersion: z.literal(API_VERSION).describe('Group and version of the kind.'),
      kind: z.literal('ModelRoute').describe('The kind.'),
      metadata: ObjectMetaSchema,
      spec: ModelRouteSpecSchema,
      status: ModelRouteStatusSchema.optional(),
    })
    .describe('ModelRoute says where calls to a model go, at which price, and what is tried next.'),
  {
    kind: {
      kind: 'ModelRoute',
      plural: 'modelroutes',
      singular: 'modelroute',
      shortNames: ['mroute'],
      categories: ['llm'],
      columns: [
        { name: 'Models', type: 'string', jsonPath: '.status.summary.models' },
        { name: 'Backends', type: 'string', jsonPath: '.status.summary.backends' },
        { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason', priority: 1 },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    },
  },
);

export type ModelRoute = z.output<typeof ModelRouteSchema>;
export type ModelRouteRule = ModelRoute['spec']['rules'][number];
export type ModelRouteBackend = ModelRouteRule['backends'][number];
export type ModelRouteStatus = z.output<typeof ModelRouteStatusSchema>;
