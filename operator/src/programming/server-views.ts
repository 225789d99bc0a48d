/** What the server says of budgets and routes, as far as their status is made of it. Unknown members are let be. */
import { z } from 'zod';

const Text = z.string().max(1024);
const Count = z.number().int().nonnegative();
/** An integer amount as a decimal string, since JSON's numbers are not exact above 2^53. */
const Amount = z
  .string()
  .regex(/^\d{1,17}$/)
  .transform(BigInt);

const BudgetViewSchema = z.object({
  columns: z.object({ reason: z.enum(['Enforcing', 'Exhausted', 'Observing', 'OverLimit']) }),
  limits: z
    .array(
      z.object({
        name: Text,
        percent: Count,
        max: Amount,
        spent: Amount,
        remaining: Amount,
        windowStart: Count,
        resetAt: Count.nullable(),
        partition: z.string(),
      }),
    )
    .min(1),
  resource: z.object({
    metadata: z.object({ namespace: Text, name: Text, generation: Count.optional() }),
    status: z.object({
      asOf: Text,
      unprovenRequests: Count.optional(),
      summary: z.record(z.string(), Text),
      limits: z.array(z.looseObject({ name: Text })),
    }),
  }),
  attached: z
    .object({
      pods: Count,
      onVersion: Count,
      /** Gateways that have it from some caller; absent: none, or the server knows nothing of them. */
      gateways: z.object({ count: Count, onVersion: Count }).optional(),
    })
    .optional(),
  unmeteredRequests: Count.optional(),
});

export const BudgetsAnswerSchema = z.object({ asOf: Text, budgets: z.array(BudgetViewSchema) });

const BackendFiguresSchema = z.object({
  rule: Text,
  name: Text,
  requests: Count.optional(),
  errors: Count.optional(),
  latencyP95Ms: z.number().nonnegative().nullish(),
  lastError: z.string().nullish(),
  outputTokens: Count.nullish(),
  charged: Amount.nullish(),
  firstByteP95Ms: z.number().nonnegative().nullish(),
});

const RouteViewSchema = z.object({
  metadata: z.object({ namespace: Text, name: Text }),
  resource: z.object({
    spec: z.object({
      rules: z.array(
        z.object({
          name: Text,
          backends: z.array(
            z.object({
              name: Text,
              inferenceServiceRef: z.object({ group: Text.optional(), name: Text }).optional(),
            }),
          ),
        }),
      ),
    }),
  }),
  backends: z.array(BackendFiguresSchema).optional(),
});

export const RoutesAnswerSchema = z.object({ routes: z.array(RouteViewSchema) });

export const PodFindingsAnswerSchema = z.object({
  pods: z.array(
    z.object({
      namespace: Text,
      name: Text,
      isSilent: z.boolean(),
      direct: z.array(z.object({ host: Text, count: Count })),
    }),
  ),
});

export type PodFindingsAnswer = z.output<typeof PodFindingsAnswerSchema>;
/** What the server knows of a pod with the proxy that does not use it, or not for all of its calls. */
export type PodFinding = PodFindingsAnswer['pods'][number];
export type BudgetsAnswer = z.output<typeof BudgetsAnswerSchema>;
export type BudgetView = BudgetsAnswer['budgets'][number];
export type RoutesAnswer = z.output<typeof RoutesAnswerSchema>;
export type RouteView = RoutesAnswer['routes'][number];
export type BackendFigures = z.output<typeof BackendFiguresSchema>;
