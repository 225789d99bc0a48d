/**
 * The snapshot contract: what the control plane tells one subject's proxy. Versioned: a proxy that does not know
 * `contract` keeps the snapshot it has. Amounts are decimal strings of integers (nano-USD, tokens or calls), since
 * JSON numbers are not exact above 2^53. Types only: the proxy checks snapshots with the compiled check in
 * `snapshot-check.ts`, which carries no zod.
 */
export const SNAPSHOT_CONTRACT = 1;

/** Who calls. `labels` are the pod's, as the injector saw them. */
export interface Subject {
  readonly namespace: string;
  readonly workload: string;
  /** `Deployment` and the like; absent where it is not known, and then a target's name alone decides. */
  readonly workloadKind?: string;
  readonly serviceAccount?: string;
  readonly pod?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The value of the configured team label, else the namespace. */
  readonly team: string;
}

export type Enforcement = 'Hard' | 'Soft' | 'Audit';
export type LimitUnit = 'cost' | 'tokens' | 'requests';
export type TokenCount = 'Total' | 'Input' | 'Output';
export type Period = 'Minute' | 'Hour' | 'Day' | 'Week' | 'Month' | 'Total';
export type WindowKind = 'Calendar' | 'Sliding';
export type PartitionBy = 'Budget' | 'Namespace' | 'Workload' | 'Pod' | 'User';

export interface SnapshotLimit {
  readonly name: string;
  readonly unit: LimitUnit;
  /** Only for `tokens`. */
  readonly count: TokenCount;
  /** Nano-USD, tokens or calls, as a decimal integer string. */
  readonly max: string;
  readonly period: Period;
  readonly window: WindowKind;
  /** Exact names or globs with `*`; empty = every model. */
  readonly models: readonly string[];
  readonly partitionBy: PartitionBy;
}

export interface SnapshotBudget {
  readonly namespace: string;
  readonly name: string;
  readonly enforcement: Enforcement;
  readonly timeZone: string;
  readonly preset: 'Standard' | 'Strict';
  readonly waitSeconds: number;
  readonly overdraft: { readonly amount: string; readonly maxDurationSeconds: number } | null;
  readonly onInsufficient: 'Refuse' | 'Clamp';
  /** Stated prices: nano-USD per million tokens, decimal integer strings. */
  readonly onUnpriced: {
    readonly action: 'Price' | 'TokensOnly' | 'Refuse';
    readonly inputPerMillion: string | null;
    readonly outputPerMillion: string | null;
  };
  readonly onUnboundable: { readonly action: 'Ceiling' | 'Refuse'; readonly ceiling: string | null };
  readonly onDisconnect: 'Drain' | 'Cancel';
  readonly unresolvedPolicy: 'Charge' | 'Release';
  /** Binds only calls that take one of these routes (names in the budget's namespace); absent = every call. */
  readonly routes?: readonly string[];
  readonly limits: readonly SnapshotLimit[];
}

export type ProviderType = 'OpenAI' | 'Anthropic' | 'AzureOpenAI' | 'Gemini' | 'Bedrock' | 'OpenAICompatible';
export type FallbackCause = 'ConnectError' | 'Timeout' | 'ServerError' | 'RateLimited' | 'BudgetExceeded';

export interface SnapshotBackend {
  readonly name: string;
  readonly provider: ProviderType;
  /** Absent: the provider's public address, or the one the process was told to use for it. */
  readonly baseUrl: string | null;
  /** Names of a key the proxy can read; null = the caller's own credential is passed through. */
  readonly credential: { readonly name: string; readonly key: string } | null;
  /** The model sent upstream; null = as asked. For Azure: the deployment's model. */
  readonly model: string | null;
  readonly weight: number;
  /** Lower is tried first. */
  readonly priority: number;
  /** Nano-USD per million tokens; null kinds fall back to the table. `free` = costs nothing, said explicitly. */
  readonly price: SnapshotPriceOverride | null;
  /** Whose rows of the price table hold for this backend; absent = the provider type's own. */
  readonly priceProvider?: string;
}

export interface SnapshotPriceOverride {
  readonly free: boolean;
  readonly inputPerMillion: string | null;
  readonly cachedInputPerMillion: string | null;
  readonly cacheWritePerMillion: string | null;
  readonly outputPerMillion: string | null;
}

export interface SnapshotRule {
  readonly name: string;
  readonly models: readonly string[];
  /** Ordered: by priority, then as written. */
  readonly backends: readonly SnapshotBackend[];
  readonly fallback: { readonly when: readonly FallbackCause[]; readonly maxAttempts: number } | null;
  /** Milliseconds; null = the proxy's default. */
  readonly timeouts: { readonly requestMs: number | null; readonly firstByteMs: number | null };
}

export interface SnapshotRoute {
  readonly namespace: string;
  readonly name: string;
  readonly rules: readonly SnapshotRule[];
}

/** A PriceRow of `@tollgate/metering` with its bigints as decimal strings. */
export interface SnapshotPriceRow {
  readonly provider: string;
  readonly model: string;
  readonly free: boolean;
  readonly tiers: readonly { readonly aboveInputTokens: number; readonly rates: Readonly<Record<string, string>> }[];
  readonly units: Readonly<Record<string, string>>;
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  readonly batchPermille?: number;
  readonly source: string;
  readonly date: string;
}

export interface Snapshot {
  readonly contract: typeof SNAPSHOT_CONTRACT;
  /** Content hash: two snapshots with one version are equal. */
  readonly version: string;
  readonly organisation: string;
  readonly subject: Subject;
  readonly budgets: readonly SnapshotBudget[];
  readonly routes: readonly SnapshotRoute[];
  readonly prices: {
    readonly version: string;
    readonly rows: readonly SnapshotPriceRow[];
    /** `provider/alias` → `model` of a row of that provider. */
    readonly aliases: Readonly<Record<string, string>>;
  };
}
