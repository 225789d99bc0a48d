/** One TokenBudget as proxies read it: amounts in nano-dollars, defaults in place, nothing that only people need. */
import type { LimitUnit, SnapshotBudget, SnapshotLimit, TokenBudget, TokenBudgetLimit } from '@tollgate/api';
import { parseUsd } from '@tollgate/metering';

/** For every call of a subject that the budget is for; `routes`: only for those that take one of these routes. */
export const compileBudget = ({ metadata, spec }: TokenBudget, routes?: readonly string[]): SnapshotBudget => ({
  namespace: metadata.namespace,
  name: metadata.name,
  enforcement: spec.enforcement,
  timeZone: spec.timeZone,
  preset: spec.preset,
  waitSeconds: spec.waitSeconds,
  overdraft:
    spec.overdraft === undefined
      ? null
      : { amount: nano(spec.overdraft.amount), maxDurationSeconds: spec.overdraft.maxDurationSeconds },
  onInsufficient: spec.onInsufficient,
  onUnpriced: {
    action: spec.onUnpriced.action,
    inputPerMillion: nanoOrNull(spec.onUnpriced.inputPerMillion),
    outputPerMillion: nanoOrNull(spec.onUnpriced.outputPerMillion),
  },
  onUnboundable: { action: spec.onUnboundable.action, ceiling: nanoOrNull(spec.onUnboundable.ceiling) },
  onDisconnect: spec.onDisconnect,
  unresolvedPolicy: spec.unresolvedPolicy,
  ...(routes === undefined ? {} : { routes: [...routes].sort() }),
  limits: spec.limits.map(compileLimit),
});

export const compileLimit = (limit: TokenBudgetLimit): SnapshotLimit => ({
  name: limit.name,
  ...amountOf(limit),
  period: limit.period,
  window: limit.window,
  models: limit.models ?? [],
  partitionBy: limit.partitionBy,
});

/** Dollars as manifests write them → nano-dollars as snapshots do. */
export const nano = (usd: string): string => parseUsd(usd).toString();

export const nanoOrNull = (usd: string | undefined): string | null => (usd === undefined ? null : nano(usd));

const amountOf = ({
  name,
  tokens,
  cost,
  requests,
}: TokenBudgetLimit): { unit: LimitUnit; count: SnapshotLimit['count']; max: string } => {
  if (cost !== undefined) return { unit: 'cost', count: 'Total', max: nano(cost.max) };
  if (tokens !== undefined) return { unit: 'tokens', count: tokens.count, max: String(tokens.max) };
  if (requests !== undefined) return { unit: 'requests', count: 'Total', max: String(requests.max) };
  throw new TypeError(`limit ${name} has none of tokens, cost and requests: it has not been through the schema`);
};
