/**
 * A snapshot made ready for calls: for each model the limits that a call must pass, sorted by what they may do to it,
 * and the strictest value of each policy field. Compiled once a snapshot and model, looked up per call.
 */
import { matchingLimits, mergePolicies, partitionOf, type MatchedLimit, type MergedPolicy } from '@tollgate/budget';
import type { LimitUnit, Snapshot, SnapshotRoute, Subject, TokenCount } from '@tollgate/api';
import { makePriceTable, type PriceTable } from '@tollgate/prices/table';

export interface PlannedLimit {
  /** `<namespace>/<name>` */
  readonly budget: string;
  readonly limit: string;
  readonly partition: string;
  readonly unit: LimitUnit;
  readonly count: TokenCount;
  readonly max: bigint;
}

export interface CallPolicy {
  readonly hard: readonly PlannedLimit[];
  readonly soft: readonly PlannedLimit[];
  readonly audit: readonly PlannedLimit[];
  /** The strictest of all matching Hard budgets; null where none matches. */
  readonly rules: MergedPolicy | null;
  /** A Hard limit counts money or tokens: then an output cap is needed. */
  readonly needsCap: boolean;
  readonly hasCostLimit: boolean;
}

export interface PolicyBook {
  readonly version: string;
  readonly organisation: string;
  readonly subject: Subject;
  readonly routes: readonly SnapshotRoute[];
  readonly prices: PriceTable;
  /** `model` null: not known, then every limit binds. `route` null: the call takes none; undefined: not known. */
  policyFor(model: string | null, user: string | null, route?: string | null): CallPolicy;
}

/** Model names come from callers: a bounded cache, so that a hostile one cannot grow it. */
const CACHED_MODELS = 512;

/** Of prices that several snapshots share, once. */
const tables = new WeakMap<Snapshot['prices'], PriceTable>();

const priceTableOf = (prices: Snapshot['prices']): PriceTable => {
  const table = tables.get(prices) ?? makePriceTable(prices);
  tables.set(prices, table);
  return table;
};

export const makePolicyBook = (snapshot: Snapshot): PolicyBook => {
  const { subject, budgets } = snapshot;
  const cache = new Map<string, { readonly limits: readonly MatchedLimit[]; readonly fixed: CallPolicy | null }>();

  const build = (limits: readonly MatchedLimit[], user: string | null): CallPolicy => {
    const hard: PlannedLimit[] = [];
    const soft: PlannedLimit[] = [];
    const audit: PlannedLimit[] = [];
    const lists = { Hard: hard, Soft: soft, Audit: audit } as const;
    for (const { budget, limit } of limits) {
      lists[budget.enforcement].push({
        budget: `${budget.namespace}/${budget.name}`,
        limit: limit.name,
        partition: partitionOf(limit.partitionBy, subject, user),
        unit: limit.unit,
        count: limit.count,
        max: BigInt(limit.max),
      });
    }
    const hardBudgets = [
      ...new Set(limits.map(({ budget }) => budget).filter(({ enforcement }) => enforcement === 'Hard')),
    ];
    return {
      hard,
      soft,
      audit,
      rules: hardBudgets.length === 0 ? null : mergePolicies(hardBudgets),
      needsCap: hard.some(({ unit, count }) => unit === 'cost' || (unit === 'tokens' && count !== 'Input')),
      hasCostLimit: hard.some(({ unit }) => unit === 'cost'),
    };
  };

  return {
    version: snapshot.version,
    organisation: snapshot.organisation,
    subject,
    routes: snapshot.routes,
    prices: priceTableOf(snapshot.prices),
    policyFor(model, user, route) {
      // No model name holds a NUL (providers refuses it), so the parts cannot run into each other.
      const key = `${model ?? '\0'}\0${route === undefined ? '\0' : (route ?? '')}`;
      let entry = cache.get(key);
      if (entry === undefined) {
        const limits = matchingLimits(budgets, model, route);
        const perUser = limits.some(({ limit }) => limit.partitionBy === 'User');
        entry = { limits, fixed: perUser ? null : build(limits, null) };
        if (cache.size >= CACHED_MODELS) cache.delete(cache.keys().next().value ?? '');
        cache.set(key, entry);
      }
      return entry.fixed ?? build(entry.limits, user);
    },
  };
};
