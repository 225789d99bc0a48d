/** What a change of the manifests did, in words for the terminal. */
import type { ManifestReport } from '@tollgate/standalone';

export const manifestText = (report: ManifestReport, path: string): string => {
  switch (report.kind) {
    case 'applied':
      return `in force from ${path}: ${counts(report)}`;
    case 'refused':
      return `refused, the former manifests stay in force:\n${report.faults.map((fault) => `  ${fault}`).join('\n')}`;
    case 'well again':
      return `all manifests of ${path} are valid again`;
    case 'trouble':
      return `cannot read ${path} (${report.message}); what was in force stays`;
    default:
      return report satisfies never;
  }
};

/** What lets calls pass that were stopped before, or should be: said each time, since nothing else shows it. */
export const warningsOf = (
  report: ManifestReport,
  { namespace, requireBudget }: { readonly namespace: string; readonly requireBudget?: boolean },
): readonly string[] => {
  if (report.kind !== 'applied') return [];
  const gone = report.gone.map((name) => `TokenBudget ${name} is gone; its limits are not in force any more`);
  if (report.isBound) return gone;
  const then =
    requireBudget === true
      ? 'they are refused, because of --require-budget'
      : 'they pass without a limit; --require-budget refuses them';
  return [...gone, `no TokenBudget binds calls of namespace ${namespace} now: ${then}`];
};

const counts = ({ budgets, routes, services }: Extract<ManifestReport, { kind: 'applied' }>): string =>
  [
    [budgets, 'budget'],
    [routes, 'route'],
    [services, 'inference service'],
  ]
    .filter(([n], index) => n !== 0 || index === 0)
    .map(([n, what]) => `${n} ${what}${n === 1 ? '' : 's'}`)
    .join(', ');
