import type { Enforcement, TokenBudget, TokenBudgetStatus } from '@tollgate/api';
import { displayUsd } from '@tollgate/metering';
import type { Attachment } from '../connected/attachments.ts';
import type { LimitFigures } from './limit-figures.ts';

/** From a budget's figures to what people read: the columns of `kubectl get tokenbudgets`, and the status of `-o yaml`. */
export interface BudgetColumns {
  readonly namespace: string;
  readonly name: string;
  readonly enforcement: Enforcement;
  readonly spent: string;
  readonly limit: string;
  readonly used: string;
  readonly burnPerHour: string;
  readonly exhausts: string;
  readonly ready: 'True' | 'False';
  /** Since when it is in force, ISO 8601: readers make an age of it. */
  readonly createdAt: string;
  readonly tokens: string;
  /** ISO 8601, or '' for a limit that never resets. */
  readonly resets: string;
  readonly topModel: string;
  readonly pods: number;
  readonly reason: BudgetReason;
}

export type BudgetReason = 'Enforcing' | 'Exhausted' | 'Observing' | 'OverLimit';

export interface BudgetView {
  readonly columns: BudgetColumns;
  readonly limits: readonly LimitFigures[];
  readonly attached: Attachment;
  /** Calls on paths that are not metered, and calls let through on a ceiling: in the present window of the limit that has most. */
  readonly unmeteredRequests: number;
  readonly unprovenRequests: number;
  readonly resource: TokenBudget & { readonly status: TokenBudgetStatus };
}

export interface BudgetFacts {
  readonly budget: TokenBudget;
  readonly limits: readonly LimitFigures[];
  readonly since: number;
  readonly attached: Attachment;
  readonly now: number;
}

export const budgetView = ({ budget, limits, since, attached, now }: BudgetFacts): BudgetView => {
  const tightest = tightestOf(limits);
  const createdAt = budget.metadata.creationTimestamp ?? iso(since);
  const reason = reasonOf(budget.spec.enforcement, limits);
  const summary = summaryOf(tightest, now);
  const unmeteredRequests = mostOf(limits, ({ unmetered }) => unmetered);
  const unprovenRequests = mostOf(limits, ({ unproven }) => unproven);
  return {
    columns: {
      namespace: budget.metadata.namespace,
      name: budget.metadata.name,
      enforcement: budget.spec.enforcement,
      ...summary,
      ready: 'True',
      createdAt,
      resets: tightest.resetAt === null ? '' : iso(tightest.resetAt),
      pods: attached.pods,
      reason,
    },
    limits,
    attached,
    unmeteredRequests,
    unprovenRequests,
    resource: {
      ...budget,
      metadata: { ...budget.metadata, creationTimestamp: createdAt },
      status: {
        asOf: iso(now),
        attachedPods: attached.pods,
        unmeteredRequests,
        unprovenRequests,
        summary: { ...summary, ...(tightest.resetAt === null ? {} : { resetAt: iso(tightest.resetAt) }) },
        limits: limits.map(limitStatus),
        conditions: [
          { type: 'Ready', status: 'True', reason, message: MESSAGES[reason], lastTransitionTime: createdAt },
        ],
      },
    },
  };
};

const MESSAGES: Readonly<Record<BudgetReason, string>> = {
  Enforcing: 'Calls that would cross a limit are refused.',
  Exhausted: 'A limit is used up: calls it counts are refused until it resets.',
  Observing: 'Calls are counted; none is refused.',
  OverLimit: 'A limit is used up. Calls pass all the same, since the budget does not enforce.',
};

/** Each limit that counts a call counts it once: the largest is the nearest to how many there were. */
const mostOf = (limits: readonly LimitFigures[], of: (figures: LimitFigures) => bigint): number =>
  Number(limits.reduce((most, figures) => (of(figures) > most ? of(figures) : most), 0n));

/** The limit with the largest share used; of equals the first. */
const tightestOf = (limits: readonly LimitFigures[]): LimitFigures => {
  const [first, ...rest] = limits;
  if (!first) throw new TypeError('a budget has at least one limit: this one has not been through the schema');
  return rest.reduce(
    (tightest, figures) => (figures.spent * tightest.max > tightest.spent * figures.max ? figures : tightest),
    first,
  );
};

const reasonOf = (enforcement: Enforcement, limits: readonly LimitFigures[]): BudgetReason => {
  const usedUp = limits.some(({ remaining }) => remaining === 0n);
  if (enforcement === 'Hard') return usedUp ? 'Exhausted' : 'Enforcing';
  return usedUp ? 'OverLimit' : 'Observing';
};

const summaryOf = (tightest: LimitFigures, now: number) => {
  // A new limit starts from tokens that no call of its own has brought.
  const total = tightest.unit === 'tokens' ? tightest.spent : tightest.inputTokens + tightest.outputTokens;
  return {
    spent: amountText(tightest, tightest.spent),
    limit: amountText(tightest, tightest.max),
    used: `${String(tightest.percent)}%`,
    burnPerHour: amountText(tightest, tightest.burnPerHour),
    exhausts:
      tightest.exhaustsAt === null
        ? '-'
        : tightest.exhaustsAt <= now
          ? 'now'
          : `in ${spanText(tightest.exhaustsAt - now)}`,
    tokens: String(total),
    topModel: (tightest.topModel ?? '').slice(0, 64),
  };
};

const limitStatus = (figures: LimitFigures): NonNullable<TokenBudgetStatus['limits']>[number] => ({
  name: figures.name,
  used: amountText(figures, figures.spent),
  held: amountText(figures, figures.held),
  remaining: amountText(figures, figures.remaining),
  percent: figures.percent,
  windowStart: iso(figures.windowStart),
  ...(figures.resetAt === null ? {} : { resetAt: iso(figures.resetAt) }),
});

/** `$1.50`, `12000`, `3`. */
const amountText = ({ unit }: Pick<LimitFigures, 'unit'>, amount: bigint): string =>
  unit === 'cost' ? `$${displayUsd(amount)}` : String(amount);

/** As Kubernetes shows ages: the two largest units at most. */
export const spanText = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days >= 8) return `${String(days)}d`;
  if (days > 0) return pair(days, 'd', hours % 24, 'h');
  if (hours > 0) return pair(hours, 'h', minutes % 60, 'm');
  if (minutes > 0) return pair(minutes, 'm', seconds % 60, 's');
  return `${String(seconds)}s`;
};

const pair = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${String(large)}${largeUnit}` : `${String(large)}${largeUnit}${String(small)}${smallUnit}`;

const iso = (ms: number): string => new Date(ms).toISOString();
