/** What the budgets of a snapshot lend while the ledger cannot be reached. */
import type { Snapshot } from '@tollgate/api';
import { overdraftLimit } from '@tollgate/budget';
import type { OverdraftTerms } from '@tollgate/ledger/escrow';

export const overdraftsOf = ({ budgets }: Pick<Snapshot, 'budgets'>): readonly OverdraftTerms[] =>
  budgets.flatMap((budget) => {
    const limit = overdraftLimit(budget);
    if (limit === null || budget.overdraft === null) return [];
    return [
      {
        budget: `${budget.namespace}/${budget.name}`,
        amount: BigInt(limit.max),
        maxDurationMs: budget.overdraft.maxDurationSeconds * 1000,
      },
    ];
  });

/** The terms of several snapshots as one list: a budget that binds several callers of a gateway lends once. */
export const makeJointOverdrafts = (
  set: (terms: readonly OverdraftTerms[]) => void,
): ((of: string, terms: readonly OverdraftTerms[]) => void) => {
  const all = new Map<string, readonly OverdraftTerms[]>();
  return (of, terms) => {
    if (terms.length === 0 && !all.has(of)) return;
    if (terms.length === 0) all.delete(of);
    else all.set(of, terms);
    set([...new Map([...all.values()].flat().map((term) => [term.budget, term])).values()]);
  };
};
