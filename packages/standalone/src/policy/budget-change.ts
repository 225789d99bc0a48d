/** What a change of the manifests means for the calls of this machine: whether a budget is for them, and which have gone. */
import type { Subject } from '@tollgate/api';
import type { Resource, TokenBudget } from '@tollgate/api/schema';
import { bindBudget } from '@tollgate/snapshots';

export interface BudgetChange {
  /** False: no call of the subject meets a budget. */
  readonly isBound: boolean;
  /** `default/team-a` */
  readonly gone: readonly string[];
}

export interface BudgetPlace {
  readonly subject: Subject;
  readonly systemNamespace: string;
}

export const budgetChange = (
  former: readonly Resource[],
  next: readonly Resource[],
  { subject, systemNamespace }: BudgetPlace,
): BudgetChange => {
  const budgets = budgetsOf(next);
  const names = new Set(budgets.map(nameOf));
  return {
    isBound: budgets.some((budget) => bindBudget(budget, { subject, systemNamespace, namespaceLabels: {} }) !== null),
    gone: budgetsOf(former)
      .map(nameOf)
      .filter((name) => !names.has(name)),
  };
};

const budgetsOf = (resources: readonly Resource[]): TokenBudget[] =>
  resources.filter((resource): resource is TokenBudget => resource.kind === 'TokenBudget');

const nameOf = ({ metadata }: TokenBudget): string => `${metadata.namespace}/${metadata.name}`;
