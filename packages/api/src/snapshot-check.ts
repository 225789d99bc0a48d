/**
 * The proxy's door for snapshots, without zod: a plain walk over what came off the wire. Fields that this version does not
 * know are let by, so that a newer control plane may say more; a field that it needs must be there and be sound.
 */
import {
  SNAPSHOT_CONTRACT,
  type Snapshot,
  type SnapshotBackend,
  type SnapshotBudget,
  type SnapshotLimit,
  type SnapshotPriceOverride,
  type SnapshotPriceRow,
  type SnapshotRoute,
  type SnapshotRule,
  type Subject,
} from './snapshot.ts';
import { pathText, type Fault } from './fault.ts';

export type SnapshotCheck =
  { readonly ok: true; readonly snapshot: Snapshot } | { readonly ok: false; readonly fault: Fault };

/** The first fault is enough: no person wrote this. */
export const checkSnapshot = (value: unknown): SnapshotCheck => {
  const faults: Fault[] = [];
  return isSnapshot(value, faults) ? { ok: true, snapshot: value } : { ok: false, fault: faults[0] ?? UNSAID };
};

const UNSAID: Fault = { path: '', message: 'must be a snapshot' };

const isSnapshot = (value: unknown, faults: Fault[]): value is Snapshot => {
  const fault = SNAPSHOT(value, []);
  if (fault !== null) faults.push(fault);
  return fault === null;
};

type Steps = readonly PropertyKey[];
type Check = (value: unknown, steps: Steps) => Fault | null;

const must =
  (what: string, holds: (value: unknown) => boolean): Check =>
  (value, steps) =>
    holds(value) ? null : { path: pathText(steps), message: `must be ${what}` };

const text = must('a string', (value) => typeof value === 'string');
const flag = must('true or false', (value) => typeof value === 'boolean');
const count = must('a whole number, not negative', (value) => Number.isSafeInteger(value) && Number(value) >= 0);

/** 18 digits: more than any counter or rate holds, and never slow to read. */
const amount = must(
  'a whole number in decimal digits',
  (value) => typeof value === 'string' && /^[0-9]{1,18}$/.test(value),
);

const oneOf = (...values: readonly unknown[]): Check =>
  must(`one of ${values.join(', ')}`, (value) => values.includes(value));

const orNull =
  (check: Check): Check =>
  (value, steps) =>
    value === null ? null : check(value, steps);

const orAbsent =
  (check: Check): Check =>
  (value, steps) =>
    value === undefined ? null : check(value, steps);

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One check for each field of `T`: a field that joins the contract without one does not compile. */
const fields = <T extends object>(checks: { readonly [Name in keyof Required<T>]: Check }): Check => {
  const entries = Object.entries<Check>(checks);
  return (value, steps) => {
    if (!isMap(value)) return { path: pathText(steps), message: 'must be a map of fields' };
    for (const [name, check] of entries) {
      const fault = check(Object.hasOwn(value, name) ? value[name] : undefined, [...steps, name]);
      if (fault !== null) return fault;
    }
    return null;
  };
};

const list =
  (check: Check): Check =>
  (value, steps) => {
    if (!Array.isArray(value)) return { path: pathText(steps), message: 'must be a list' };
    for (const [index, entry] of value.entries()) {
      const fault = check(entry, [...steps, index]);
      if (fault !== null) return fault;
    }
    return null;
  };

const mapOf =
  (check: Check): Check =>
  (value, steps) => {
    if (!isMap(value)) return { path: pathText(steps), message: 'must be a map' };
    for (const [name, entry] of Object.entries(value)) {
      // An own key of this name, as JSON can carry it, becomes a prototype in the first careless copy.
      const fault =
        name === '__proto__'
          ? { path: pathText([...steps, name]), message: 'is not allowed' }
          : check(entry, [...steps, name]);
      if (fault !== null) return fault;
    }
    return null;
  };

const subject = fields<Subject>({
  namespace: text,
  workload: text,
  workloadKind: orAbsent(text),
  serviceAccount: orAbsent(text),
  pod: orAbsent(text),
  labels: mapOf(text),
  team: text,
});

const limit = fields<SnapshotLimit>({
  name: text,
  unit: oneOf('cost', 'tokens', 'requests'),
  count: oneOf('Total', 'Input', 'Output'),
  max: amount,
  period: oneOf('Minute', 'Hour', 'Day', 'Week', 'Month', 'Total'),
  window: oneOf('Calendar', 'Sliding'),
  models: list(text),
  partitionBy: oneOf('Budget', 'Namespace', 'Workload', 'Pod', 'User'),
});

const budget = fields<SnapshotBudget>({
  namespace: text,
  name: text,
  enforcement: oneOf('Hard', 'Soft', 'Audit'),
  timeZone: text,
  preset: oneOf('Standard', 'Strict'),
  waitSeconds: count,
  overdraft: orNull(fields<NonNullable<SnapshotBudget['overdraft']>>({ amount, maxDurationSeconds: count })),
  onInsufficient: oneOf('Refuse', 'Clamp'),
  onUnpriced: fields<SnapshotBudget['onUnpriced']>({
    action: oneOf('Price', 'TokensOnly', 'Refuse'),
    inputPerMillion: orNull(amount),
    outputPerMillion: orNull(amount),
  }),
  onUnboundable: fields<SnapshotBudget['onUnboundable']>({
    action: oneOf('Ceiling', 'Refuse'),
    ceiling: orNull(amount),
  }),
  onDisconnect: oneOf('Drain', 'Cancel'),
  unresolvedPolicy: oneOf('Charge', 'Release'),
  routes: orAbsent(list(text)),
  limits: list(limit),
});

const backend = fields<SnapshotBackend>({
  name: text,
  provider: oneOf('OpenAI', 'Anthropic', 'AzureOpenAI', 'Gemini', 'Bedrock', 'OpenAICompatible'),
  baseUrl: orNull(must('an http or https address', (value) => typeof value === 'string' && /^https?:\/\//.test(value))),
  credential: orNull(fields<NonNullable<SnapshotBackend['credential']>>({ name: text, key: text })),
  model: orNull(text),
  weight: count,
  priority: count,
  price: orNull(
    fields<SnapshotPriceOverride>({
      free: flag,
      inputPerMillion: orNull(amount),
      cachedInputPerMillion: orNull(amount),
      cacheWritePerMillion: orNull(amount),
      outputPerMillion: orNull(amount),
    }),
  ),
  priceProvider: orAbsent(text),
});

const rule = fields<SnapshotRule>({
  name: text,
  models: list(text),
  backends: list(backend),
  fallback: orNull(
    fields<NonNullable<SnapshotRule['fallback']>>({
      when: list(oneOf('ConnectError', 'Timeout', 'ServerError', 'RateLimited', 'BudgetExceeded')),
      maxAttempts: count,
    }),
  ),
  timeouts: fields<SnapshotRule['timeouts']>({ requestMs: orNull(count), firstByteMs: orNull(count) }),
});

const price = fields<SnapshotPriceRow>({
  provider: text,
  model: text,
  free: flag,
  tiers: list(fields<SnapshotPriceRow['tiers'][number]>({ aboveInputTokens: count, rates: mapOf(amount) })),
  units: mapOf(amount),
  contextWindow: orAbsent(count),
  maxOutputTokens: orAbsent(count),
  batchPermille: orAbsent(count),
  source: text,
  date: text,
});

const SNAPSHOT = fields<Snapshot>({
  contract: must(`${SNAPSHOT_CONTRACT}: this proxy speaks no other contract`, (value) => value === SNAPSHOT_CONTRACT),
  version: text,
  organisation: text,
  subject,
  budgets: list(budget),
  routes: list(fields<SnapshotRoute>({ namespace: text, name: text, rules: list(rule) })),
  prices: fields<Snapshot['prices']>({ version: text, rows: list(price), aliases: mapOf(text) }),
});
