/** Whom a budget or a route is for: label selectors with the meaning that Kubernetes gives them, and references by name. */
import type { Subject, TokenBudgetSpec } from '@tollgate/api';

/** Also fits a selector that knows `matchLabels` only. An empty selector matches everything. */
export type LabelSelector = NonNullable<TokenBudgetSpec['selector']>;

export type TargetRef = NonNullable<TokenBudgetSpec['targetRefs']>[number];

type Labels = Readonly<Record<string, string>>;

/**
 * @example
 * selectorMatches({ matchLabels: { app: 'chat' } }, { app: 'chat', tier: 'web' }) // true
 */
export const selectorMatches = (selector: LabelSelector, labels: Labels): boolean =>
  Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labelOf(labels, key) === value) &&
  (selector.matchExpressions ?? []).every((expression) => expressionHolds(expression, labels));

/** Is one of the references the subject's own workload or service account? The caller has compared the namespace. */
export const targetsSubject = (refs: readonly TargetRef[], subject: Subject): boolean =>
  refs.some(({ kind, name }) => {
    if (kind === 'ModelRoute') return false;
    if (kind === 'ServiceAccount') return subject.serviceAccount === name;
    return subject.workload === name && (subject.workloadKind === undefined || subject.workloadKind === kind);
  });

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

const expressionHolds = ({ key, operator, values = [] }: Expression, labels: Labels): boolean => {
  const value = labelOf(labels, key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      // As in Kubernetes: a label that is not there is in no list.
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return operator satisfies never;
  }
};

/** Own labels only: `toString` is not a label of anything. */
const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;
