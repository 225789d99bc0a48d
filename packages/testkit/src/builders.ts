/** Objects for tests: valid as they are, and a test states only what it is about. */
import { SNAPSHOT_CONTRACT } from '@tollgate/api';
import type {
  ModelRoute,
  Snapshot,
  SnapshotBackend,
  SnapshotBudget,
  SnapshotLimit,
  SnapshotPriceRow,
  SnapshotRoute,
  SnapshotRule,
  Subject,
  TokenBudget,
} from '@tollgate/api';

export const aSubject = (stated: Partial<Subject> = {}): Subject => ({
  namespace: 'default',
  workload: 'local',
  labels: {},
  team: stated.namespace ?? 'default',
  ...stated,
});

export const aLimit = (stated: Partial<SnapshotLimit> = {}): SnapshotLimit => ({
  name: 'daily',
  unit: 'cost',
  count: 'Total',
  max: '1000000000', // one dollar
  period: 'Day',
  window: 'Calendar',
  models: [],
  partitionBy: 'Budget',
  ...stated,
});

export const aSnapshotBudget = (stated: Partial<SnapshotBudget> = {}): SnapshotBudget => ({
  namespace: 'default',
  name: 'chat',
  enforcement: 'Hard',
  timeZone: 'Etc/UTC',
  preset: 'Standard',
  waitSeconds: 5,
  overdraft: null,
  onInsufficient: 'Refuse',
  onUnpriced: { action: 'Price', inputPerMillion: null, outputPerMillion: null },
  onUnboundable: { action: 'Ceiling', ceiling: null },
  onDisconnect: 'Drain',
  unresolvedPolicy: 'Charge',
  limits: [aLimit()],
  ...stated,
});

export const aBackend = (stated: Partial<SnapshotBackend> = {}): SnapshotBackend => ({
  name: 'openai',
  provider: 'OpenAI',
  baseUrl: null,
  credential: null,
  model: null,
  weight: 1,
  priority: 0,
  price: null,
  ...stated,
});

export const aRule = (stated: Partial<SnapshotRule> = {}): SnapshotRule => ({
  name: 'all',
  models: [],
  backends: [aBackend()],
  fallback: null,
  timeouts: { requestMs: null, firstByteMs: null },
  ...stated,
});

export const aSnapshotRoute = (stated: Partial<SnapshotRoute> = {}): SnapshotRoute => ({
  namespace: 'default',
  name: 'models',
  rules: [aRule()],
  ...stated,
});

/** Rates in nano-USD per million tokens: $0.15 in, $0.075 cached, $0.60 out. */
export const aPriceRow = (stated: Partial<SnapshotPriceRow> = {}): SnapshotPriceRow => ({
  provider: 'openai',
  model: 'gpt-4o-mini',
  free: false,
  tiers: [
    {
      aboveInputTokens: 0,
      rates: {
        input: '150000000',
        cachedInput: '75000000',
        cacheWrite5m: '150000000',
        cacheWrite1h: '150000000',
        audioInput: '150000000',
        output: '600000000',
        reasoning: '600000000',
        audioOutput: '600000000',
      },
    },
  ],
  units: {},
  contextWindow: 128_000,
  maxOutputTokens: 16_384,
  source: 'test',
  date: '2026-01-01',
  ...stated,
});

export const aSnapshot = (stated: Partial<Snapshot> = {}): Snapshot => ({
  contract: SNAPSHOT_CONTRACT,
  version: 'test-1',
  organisation: 'org-test',
  subject: aSubject(),
  budgets: [aSnapshotBudget()],
  routes: [],
  prices: { version: 'test', rows: [aPriceRow()], aliases: { 'openai/gpt-4o-mini-2024-07-18': 'gpt-4o-mini' } },
  ...stated,
});

export interface BudgetStatement {
  readonly name?: string;
  readonly namespace?: string;
  readonly spec?: Partial<TokenBudget['spec']>;
}

/** A TokenBudget as it reads once parsed: every default in its place. One dollar a day unless told otherwise. */
export const aBudget = ({ name = 'chat', namespace = 'default', spec = {} }: BudgetStatement = {}): TokenBudget => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'TokenBudget',
  metadata: { name, namespace },
  spec: {
    enforcement: 'Hard',
    timeZone: 'Etc/UTC',
    preset: 'Standard',
    waitSeconds: 5,
    onInsufficient: 'Refuse',
    onUnpriced: { action: 'Price' },
    onUnboundable: { action: 'Ceiling' },
    onDisconnect: 'Drain',
    unresolvedPolicy: 'Charge',
    limits: [{ name: 'daily', cost: { max: '1.00' }, period: 'Day', window: 'Calendar', partitionBy: 'Budget' }],
    ...spec,
  },
});

export interface RouteStatement {
  readonly name?: string;
  readonly namespace?: string;
  readonly rules?: ModelRoute['spec']['rules'];
}

/** A ModelRoute as it reads once parsed: every model to OpenAI unless told otherwise. */
export const aRoute = ({ name = 'models', namespace = 'default', rules }: RouteStatement = {}): ModelRoute => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'ModelRoute',
  metadata: { name, namespace },
  spec: {
    rules: rules ?? [
      { name: 'all', backends: [{ name: 'openai', provider: { type: 'OpenAI' }, weight: 1, priority: 0 }] },
    ],
  },
});
