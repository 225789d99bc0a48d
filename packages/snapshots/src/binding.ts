/** Which budgets and routes are for a subject. */
import type { ModelRoute, SnapshotBudget, Subject, TokenBudget } from '@tollgate/api';
import { selectorMatches, targetsSubject } from '@tollgate/budget';
import { compileBudget } from './budget.ts';

export interface Place {
  readonly subject: Subject;
  /** Where Tollgate itself runs: only budgets in here may select other namespaces. */
  readonly systemNamespace: string;
  /** Labels of the subject's namespace. Its name is a label without being told, as in Kubernetes. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

/** The compiled budget where it is for the subject, else null. */
export const bindBudget = (budget: TokenBudget, place: Place): SnapshotBudget | null => {
  const binding = bindingOf(budget, place);
  if (binding === null) return null;
  return binding.routes === null ? compileBudget(budget) : compileBudget(budget, binding.routes);
};

/** Is the budget for this subject? The same answer for less work. */
export const bindsBudget = (budget: TokenBudget, place: Place): boolean => bindingOf(budget, place) !== null;

/** `routes`: only calls that take one of these; null: every call. */
const bindingOf = (budget: TokenBudget, place: Place): { readonly routes: readonly string[] | null } | null => {
  const { selector, targetRefs } = budget.spec;
  if (!coversNamespace(budget, place)) return null;
  if (selector !== undefined && !selectorMatches(selector, place.subject.labels)) return null;
  if (targetRefs === undefined) return { routes: null };
  // References name objects of the budget's own namespace.
  if (budget.metadata.namespace !== place.subject.namespace) return null;
  if (targetsSubject(targetRefs, place.subject)) return { routes: null };
  const routes = targetRefs.filter(({ kind }) => kind === 'ModelRoute').map(({ name }) => name);
  return routes.length === 0 ? null : { routes };
};

export const bindsRoute = ({ metadata, spec }: ModelRoute, { subject }: Place): boolean =>
  metadata.namespace === subject.namespace &&
  (spec.selector === undefined || selectorMatches(spec.selector, subject.labels));

const coversNamespace = (
  { metadata, spec }: TokenBudget,
  { subject, systemNamespace, namespaceLabels }: Place,
): boolean => {
  if (spec.namespaceSelector === undefined || metadata.namespace !== systemNamespace) {
    return metadata.namespace === subject.namespace;
  }
  return selectorMatches(spec.namespaceSelector, {
    ...namespaceLabels,
    'kubernetes.io/metadata.name': subject.namespace,
  });
};
