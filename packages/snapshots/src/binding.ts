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
  const { selector, targetRefs } = budget.spec;
  if (!coversNamespace(budget, place)) return null;
  if (selector !== undefined && !selectorMatches(selector, place.subject.labels)) return null;
  if (targetRefs === undefined) return compileBudget(budget);
  // References name objects of the budget's own namespace.
  if (budget.metadata.namespace !== place.subject.namespace) return null;
  if (targetsSubject(targetRefs, place.subject)) return compileBudget(budget);
  const routes = targetRefs.filter(({ kind }) => kind === 'ModelRoute').map(({ name }) => name);
  return routes.length === 0 ? null : compileBudget(budget, routes);
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
