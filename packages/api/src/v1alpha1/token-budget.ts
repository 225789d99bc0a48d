/** TokenBudget: what a team, a workload or a user may spend on language models, and what happens at the limit. */
import { z } from 'zod';
import { countAboveZero, usd, usdAboveZero } from './amounts.ts';
import { conditions, observedGeneration } from './conditions.ts';
import { API_VERSION } from './group.ts';
import { listAtomic, listMap, listSet, withKubernetes, withPattern, withRule } from './kubernetes-schema.ts';
import { ObjectMetaSchema } from './metadata.ts';
import { labelMatch, labelSelector } from './selectors.ts';
import { timeZone } from './time-zone.ts';
import { int32, int64 } from './whole-number.ts';

const GROUP_OF_KIND: Readonly<Record<string, string>> = {
  Deployment: 'apps',
  StatefulSet: 'apps',
  DaemonSet: 'apps',
  Job: 'batch',
  CronJob: 'batch',
  ServiceAccount: '',
  ModelRoute: 'tollgate.dev',
};

const TargetRefSchema = withRule(
  z.strictObject({
    group: z
      .string()
      .max(253)
      .describe('API group of the kind: apps, batch, tollgate.dev, or empty for a ServiceAccount.'),
    kind: z
      .enum(['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'ServiceAccount', 'ModelRoute'])
      .describe('Kind of the object whose calls are counted.'),
    name: z.string().min(1).max(253).describe('Name of the object, in the namespace of the budget.'),
  }),
  {
    cel:
      "self.group == (self.kind in ['Deployment', 'StatefulSet', 'DaemonSet'] ? 'apps' : self.kind in ['Job', 'CronJob'] " +
      "? 'batch' : self.kind == 'ServiceAccount' ? '' : 'tollgate.dev')",
    message: 'group must be the one of the kind: apps, batch, tollgate.dev, or empty for a ServiceAccount',
    reads: ['group', 'kind'],
    holds: ({ group, kind }) => GROUP_OF_KIND[kind] === group,
  },
);

const TokensSchema = z.strictObject({
  max: countAboveZero().describe('Most tokens in one window.'),
  count: z.enum(['Total', 'Input', 'Output']).default('Total').describe('Which tokens count.'),
});

const CostSchema = z.strictObject({
  max: usdAboveZero().describe('USD, a decimal string, at most 9007199.254740991.'),
});

const RequestsSchema = z.strictObject({
  max: countAboveZero().describe('Most calls in one window.'),
});

const LimitObjectSchema = z.strictObject({
  name: withPattern(z.string().min(1).max(63), {
    pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
    message: 'must be lower-case letters, digits and "-", such as daily',
  }).describe('Name of the limit, unique in its budget. What was spent belongs to this name.'),
  tokens: TokensSchema.optional().describe('Limits tokens.'),
  cost: CostSchema.optional().describe('Limits money.'),
  requests: RequestsSchema.optional().describe('Limits the number of calls.'),
  period: z
    .enum(['Minute', 'Hour', 'Day', 'Week', 'Month', 'Total'])
    .describe('Length of the window. Weeks start on Monday; Total never resets.'),
  window: z
    .enum(['Calendar', 'Sliding'])
    .default('Calendar')
    .describe('Calendar windows start on the clock of timeZone; a Sliding one always ends now (a month is 30 days).'),
  warnAtPercent: listAtomic(
    z.array(int32(1, 100)).max(4).describe('Shares of the limit, in percent, at which an event is sent.'),
  ).optional(),
  models: listSet(
    z
      .array(z.string().min(1).max(128))
      .max(32)
      .describe('Models that this limit counts, exact or with "*" for any run of characters; empty counts all.'),
  ).optional(),
  partitionBy: z
    .enum(['Budget', 'Namespace', 'Workload', 'Pod', 'User'])
    .default('Budget')
    .describe(
      'Who shares one counter: the whole budget, or one per namespace, workload, pod or end user (as the call names it).',
    ),
});

const LimitWithUnitSchema = withRule(LimitObjectSchema, {
  cel: '(has(self.tokens) ? 1 : 0) + (has(self.cost) ? 1 : 0) + (has(self.requests) ? 1 : 0) == 1',
  message: 'exactly one of tokens, cost or requests must be set',
  reads: 'presence',
  holds: ({ tokens, cost, requests }) => [tokens, cost, requests].filter((unit) => unit !== undefined).length === 1,
});

const LimitWithWarningsSchema = withRule(LimitWithUnitSchema, {
  cel: '!has(self.warnAtPercent) || self.warnAtPercent.all(p, self.warnAtPercent.exists_one(q, q == p))',
  message: 'warnAtPercent values must be unique',
  reads: ['warnAtPercent'],
  holds: ({ warnAtPercent = [] }) => new Set(warnAtPercent).size === warnAtPercent.length,
});

const LimitSchema = withRule(LimitWithWarningsSchema, {
  cel: "self.window != 'Sliding' || self.period != 'Total'",
  message: 'period Total never resets, so its window cannot be Sliding',
  reads: ['window', 'period'],
  holds: ({ window, period }) => window !== 'Sliding' || period !== 'Total',
});

const OverdraftSchema = z.strictObject({
  amount: usd().describe('USD that may be spent beyond the limit while the control plane cannot be reached.'),
  maxDurationSeconds: int32(1, 86400).describe('How long one such outage may draw on it, in seconds.'),
});

const OnUnpricedSchema = z.strictObject({
  action: z
    .enum(['Price', 'TokensOnly', 'Refuse'])
    .default('Price')
    .describe(
      'Price holds the stated price, or else the dearest of the model family; TokensOnly counts tokens but no money; Refuse refuses.',
    ),
  inputPerMillion: usd().optional().describe('USD per million tokens.'),
  outputPerMillion: usd().optional().describe('USD per million tokens.'),
});

const OnUnboundableSchema = z.strictObject({
  action: z
    .enum(['Ceiling', 'Refuse'])
    .default('Ceiling')
    .describe('Ceiling holds a ceiling and counts the call as unproven; Refuse refuses it.'),
  ceiling: usd()
    .optional()
    .describe('USD held for a call that cannot be bounded; the context window at the dearest rate if absent.'),
});

const SpecObjectSchema = z.strictObject({
  enforcement: z
    .enum(['Hard', 'Soft', 'Audit'])
    .default('Hard')
    .describe(
      'Hard refuses the call that would cross a limit; Soft lets it pass, records and alerts; Audit only records.',
    ),
  timeZone: timeZone().default('Etc/UTC').describe('IANA time zone of the calendar windows.'),
  selector: labelSelector(
    'Pods whose calls are counted. Without selector and targetRefs: all of the namespace.',
  ).optional(),
  targetRefs: listMap(
    z.array(TargetRefSchema).min(1).max(16).describe('Objects whose calls are counted, instead of a selector.'),
    ['group', 'kind', 'name'],
  ).optional(),
  namespaceSelector: labelMatch(
    "Namespaces whose calls are counted. Honoured only for budgets in the operator's own namespace.",
  ).optional(),
  limits: listMap(z.array(LimitSchema).min(1).max(16).describe('The limits. All of them hold.'), ['name']),
  preset: z
    .enum(['Standard', 'Strict'])
    .default('Standard')
    .describe('Strict refuses calls whose cost cannot be bounded or priced exactly.'),
  waitSeconds: int32(0, 60)
    .default(5)
    .describe('How long a call waits for money that other calls hold before it is refused.'),
  overdraft: OverdraftSchema.optional().describe(
    'What may be spent while the control plane cannot be reached; nothing if absent.',
  ),
  onInsufficient: z
    .enum(['Refuse', 'Clamp'])
    .default('Refuse')
    .describe('What becomes of a call that needs more than is left: refused, or sent with a lower output cap.'),
  onUnpriced: OnUnpricedSchema.default({ action: 'Price' }).describe(
    'What becomes of a call to a model without a known price.',
  ),
  onUnboundable: OnUnboundableSchema.default({ action: 'Ceiling' }).describe(
    'What becomes of a call whose cost has no bound in its own bytes, such as one with a hosted tool.',
  ),
  onDisconnect: z
    .enum(['Drain', 'Cancel'])
    .default('Drain')
    .describe('When the caller hangs up: read the answer on for a moment to learn its cost, or cancel it at once.'),
  unresolvedPolicy: z
    .enum(['Charge', 'Release'])
    .default('Charge')
    .describe(
      'What becomes of money that a lost node took with it, once its proxy was abandoned (tollgate instances abandon) ' +
        'and its epoch has closed: it stays charged, or is given back one hour after that.',
    ),
});

export const TokenBudgetSpecSchema = withRule(SpecObjectSchema, {
  cel: '!has(self.selector) || !has(self.targetRefs)',
  message: 'selector and targetRefs are mutually exclusive',
  reads: 'presence',
  holds: ({ selector, targetRefs }) => selector === undefined || targetRefs === undefined,
}).describe('What may be spent, by whom, and what happens at the limit.');

const column = (description: string) => z.string().max(64).optional().describe(description);

const SummarySchema = z.object({
  spent: column('Spent of the tightest limit.'),
  limit: column('The tightest limit.'),
  used: column('Share of the tightest limit that is spent.'),
  burnPerHour: column('Spent per hour, at the present rate.'),
  exhausts: column('When the tightest limit is used up, at the present rate.'),
  tokens: column('Tokens used, of how many.'),
  cost: column('Money spent, of how much.'),
  topModel: column('The model that most was spent on.'),
  resetAt: z.iso.datetime({ offset: true }).optional().describe('When the window of the tightest limit ends.'),
});

const LimitStatusSchema = z.object({
  name: z.string().max(63).describe('The limit.'),
  used: column('Used in this window, in the unit of the limit.'),
  held: column('Held now by open calls and leases, in the unit of the limit; a part of what is left.'),
  remaining: column('Left in this window, in the unit of the limit.'),
  percent: int32(0).optional().describe('Used, in percent.'),
  windowStart: z.iso.datetime({ offset: true }).optional().describe('When this window began.'),
  resetAt: z.iso.datetime({ offset: true }).optional().describe('When this window ends.'),
  estimatedTokens: int64(0).optional().describe('Tokens that were counted here since the provider did not say.'),
});

export const TokenBudgetStatusSchema = z
  .object({
    observedGeneration: observedGeneration(),
    asOf: z.iso.datetime({ offset: true }).optional().describe('Time of the ledger at which these figures held.'),
    attachedPods: int32(0).optional().describe('Injected pods that this budget counts.'),
    bypassingPods: int32(0).optional().describe('Pods that match and are annotated, but carry no proxy.'),
    unmeteredRequests: int64(0).optional().describe('Calls on paths that are not metered.'),
    unprovenRequests: int64(0).optional().describe('Calls let through on a ceiling rather than a proven bound.'),
    summary: SummarySchema.optional().describe('The figures of the columns.'),
    limits: listMap(z.array(LimitStatusSchema).max(16).describe('The figures of each limit.'), ['name']).optional(),
    conditions: conditions(),
  })
  .describe('What was spent. A view of the ledger; nothing reads it back.');

export const TokenBudgetSchema = withKubernetes(
  z
    .strictObject({
      apiVersion: z.literal(API_VERSION).describe('Group and version of the kind.'),
      kind: z.literal('TokenBudget').describe('The kind.'),
      metadata: ObjectMetaSchema,
      spec: TokenBudgetSpecSchema,
      status: TokenBudgetStatusSchema.optional(),
    })
    .describe(
      'TokenBudget caps what is spent on language models, in money, tokens or calls. What the calls that it counts have spent ' +
        'in the running window before it was made counts too, also where it, or its namespace, was deleted and made anew.',
    ),
  {
    kind: {
      kind: 'TokenBudget',
      plural: 'tokenbudgets',
      singular: 'tokenbudget',
      shortNames: ['tb'],
      categories: ['llm', 'budgets'],
      labels: { 'gateway.networking.k8s.io/policy': 'Inherited' },
      selectableFields: ['.spec.enforcement'],
      columns: [
        { name: 'Enforcement', type: 'string', jsonPath: '.spec.enforcement' },
        { name: 'Spent', type: 'string', jsonPath: '.status.summary.spent', description: 'Of the tightest limit' },
        { name: 'Limit', type: 'string', jsonPath: '.status.summary.limit' },
        { name: 'Used', type: 'string', jsonPath: '.status.summary.used' },
        { name: 'Burn/h', type: 'string', jsonPath: '.status.summary.burnPerHour' },
        { name: 'Exhausts', type: 'string', jsonPath: '.status.summary.exhausts', description: 'At the present rate' },
        { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        { name: 'Tokens', type: 'string', jsonPath: '.status.summary.tokens', priority: 1 },
        { name: 'Resets', type: 'string', jsonPath: '.status.summary.resetAt', priority: 1 },
        { name: 'Top-Model', type: 'string', jsonPath: '.status.summary.topModel', priority: 1 },
        { name: 'Pods', type: 'integer', jsonPath: '.status.attachedPods', priority: 1 },
        { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason', priority: 1 },
      ],
    },
  },
);

export type TokenBudget = z.output<typeof TokenBudgetSchema>;
export type TokenBudgetSpec = TokenBudget['spec'];
export type TokenBudgetLimit = TokenBudgetSpec['limits'][number];
export type TokenBudgetStatus = z.output<typeof TokenBudgetStatusSchema>;
