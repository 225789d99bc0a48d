import type { TokenBudget } from '@tollgate/api';
import { counterKey, type CounterName } from '@tollgate/ledger';
import type { CounterTerms, PoolBalance } from '@tollgate/ledger/pool';
import { compileBudget } from '@tollgate/snapshots';
import { isSeedDue, SLOT_MS, spanStart, type CounterUsage, type Store } from '@tollgate/store';
import type { Attachment } from '../connected/attachments.ts';
import { budgetName, windowOf, termsAt, type LimitInForce } from '../resources/counter-terms.ts';
import { budgetView, type BudgetView } from './budget-status.ts';
import { limitFigures, presentRows, type LimitView } from './limit-figures.ts';
import type { UnbookedSpend } from './unbooked-spend.ts';

/** Gathers what the status of all budgets is made of, and makes it. */
export interface BudgetViewsDeps {
  readonly store: Pick<Store, 'counterUsage' | 'budgetsSince' | 'limitsSince'>;
  readonly unbooked: UnbookedSpend;
  readonly balances: () => Promise<readonly PoolBalance[]>;
  /** By budget, the live proxies that it is for. */
  readonly attached: ReadonlyMap<string, Attachment>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** All of these budgets are of one namespace; null: of any. */
  readonly namespace: string | null;
}

const HOUR = 3_600_000;
const NOBODY: Attachment = { pods: 0, onVersion: 0 };

export const budgetViews = async (
  budgets: readonly TokenBudget[],
  deps: BudgetViewsDeps,
): Promise<readonly BudgetView[]> => {
  const { store, unbooked, balances, attached, now, namespace } = deps;
  const compiled = budgets.map((budget) => ({ budget, views: limitViews(budget, now) }));
  const since = Math.min(now, ...compiled.flatMap(({ views }) => views.map(({ terms }) => spanStart(terms))));
  const recentSince = now - HOUR - ((now - HOUR) % SLOT_MS);
  const usage = await store.counterUsage({ since, recentSince, namespace });
  const ages = await store.budgetsSince();
  const definitions = await store.limitsSince();
  const byBudget = Map.groupBy(usage, (row) => row.budget);
  const pooled = new Map((await balances()).map((balance) => [keyOf(balance, balance.windowId), balance.pooled]));
  const pooledOf = (row: CounterUsage): bigint => pooled.get(keyOf(row, row.windowId)) ?? 0n;
  const viewOf = async ({ budget, views }: (typeof compiled)[number]): Promise<BudgetView> => {
    const name = budgetName(budget.metadata);
    const rows = byBudget.get(name) ?? [];
    const unbookedOf = async (view: CompiledLimit): Promise<bigint> => {
      const defined = definitions.get(`${name}/${view.limit.name}`);
      if (!view.counter || defined === undefined || !hasUnbooked(view, rows, defined)) return 0n;
      return unbooked.of(view.counter, { defined, now });
    };
    const limits = await Promise.all(
      views.map(async (view) => limitFigures({ ...view, unbooked: await unbookedOf(view) }, rows, pooledOf, now)),
    );
    return budgetView({ budget, limits, since: ages.get(name) ?? now, attached: attached.get(name) ?? NOBODY, now });
  };
  return Promise.all(compiled.map(viewOf));
};

interface CompiledLimit extends Pick<LimitView, 'limit' | 'terms'> {
  /** Null where it has partitions: which of them a call will ask for nobody knows. */
  readonly counter: CounterTerms | null;
}

/** Also where there is no counter yet. */
const hasUnbooked = (view: CompiledLimit, rows: readonly CounterUsage[], defined: number): boolean => {
  const seeded = Math.max(0, ...presentRows(view, rows).map(({ seededSince }) => seededSince));
  return isSeedDue(view.terms, BigInt(defined), BigInt(seeded));
};

const limitViews = (manifest: TokenBudget, now: number): readonly CompiledLimit[] => {
  const budget = compileBudget(manifest);
  return budget.limits.map((limit) => {
    const inForce: LimitInForce = { manifest, budget, limit };
    const any = { budget: budgetName(budget), limit: limit.name, partition: limit.partitionBy === 'Budget' ? '' : '*' };
    const terms = termsAt(inForce, any, now);
    return {
      limit,
      terms: terms ?? { max: BigInt(limit.max), window: windowOf(budget, limit, now), sliding: null },
      counter: limit.partitionBy === 'Budget' ? terms : null,
    };
  });
};

const keyOf = (name: CounterName, windowId: string): string => `${counterKey(name)}@${windowId}`;
