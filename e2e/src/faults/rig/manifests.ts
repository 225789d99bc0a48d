/**
 * The budgets of a round. Those of `apps` begin anew each minute and are used up in it; that of `lab` never does, and is used
 * up once: so that each fault meets a limit far away, near, and reached.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BudgetSizes {
  /** USD. */
  readonly perMinute: string;
  readonly total: string;
}

export const NAMESPACES = ['apps', 'lab'] as const;
export type Namespace = (typeof NAMESPACES)[number];

export const writeManifests = (folder: string, { perMinute, total }: BudgetSizes): void => {
  const budgets = [
    budget('apps', 'pace', [
      { name: 'a-minute', cost: { max: perMinute }, period: 'Minute' },
      { name: 'a-day', cost: { max: '500' }, period: 'Day' },
    ]),
    budget('apps', 'each', [
      { name: 'calls', requests: { max: 20_000 }, period: 'Hour', window: 'Sliding', partitionBy: 'Workload' },
      { name: 'tokens', tokens: { max: 500_000_000 }, period: 'Month', partitionBy: 'Pod' },
    ]),
    budget('lab', 'grant', [
      { name: 'all', cost: { max: total }, period: 'Total' },
      { name: 'of-an-hour', tokens: { max: 50_000_000 }, period: 'Hour', window: 'Sliding' },
    ]),
  ];
  budgets.forEach((each, index) =>
    writeFileSync(join(folder, `budget-${String(index)}.yaml`), `${JSON.stringify(each)}\n`),
  );
};

const budget = (namespace: Namespace, name: string, limits: readonly object[]): object => ({
  apiVersion: 'tollgate.dev/v1alpha1',
  kind: 'TokenBudget',
  metadata: { name, namespace },
  spec: { enforcement: 'Hard', timeZone: 'Etc/UTC', waitSeconds: 1, limits },
});
