/** Which limits of a snapshot's budgets bind a call. */
import type { SnapshotBudget, SnapshotLimit } from '@tollgate/api';
import { makeModelMatcher, type ModelMatcher } from './model-pattern.ts';

export interface MatchedLimit {
  readonly budget: SnapshotBudget;
  readonly limit: SnapshotLimit;
}

/**
 * In the order of the budgets and their limits. A call whose model is not known (`null`) is bound by every limit, and one
 * whose route was not told (`undefined`) by budgets of any route: not knowing opens no hole. `route: null` = it takes none.
 */
export const matchingLimits = (
  budgets: readonly SnapshotBudget[],
  model: string | null,
  route?: string | null,
): readonly MatchedLimit[] =>
  budgets
    .filter(({ routes }) => routes === undefined || route === undefined || (route !== null && routes.includes(route)))
    .flatMap((budget) =>
      budget.limits.filter((limit) => model === null || matcherOf(limit)(model)).map((limit) => ({ budget, limit })),
    );

/** Patterns are compiled once a limit; a snapshot that is dropped takes its own along. */
const matchers = new WeakMap<SnapshotLimit, ModelMatcher>();

const matcherOf = (limit: SnapshotLimit): ModelMatcher => {
  const known = matchers.get(limit);
  if (known !== undefined) return known;
  const made = makeModelMatcher(limit.models);
  matchers.set(limit, made);
  return made;
};
