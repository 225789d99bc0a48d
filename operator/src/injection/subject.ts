/** What the proxy says of its pod: the value of `TOLLGATE_SUBJECT`. The operator's list of pods overrules it. */
import type { Subject } from '@tollgate/api';
import { INJECTED } from './names.ts';
import { labelsOf, type Pod } from './pod.ts';
import type { InjectionSettings } from './settings.ts';
import { workloadOf } from './workload.ts';

export const subjectOf = (pod: Pod, namespace: string, { teamLabel }: InjectionSettings): Subject => {
  const { kind, name } = workloadOf(pod);
  const labels = sorted(labelsOf(pod));
  const team = teamLabel === null ? undefined : labels[teamLabel];
  return {
    namespace,
    workload: name,
    workloadKind: kind,
    serviceAccount: pod.spec.serviceAccountName ?? 'default',
    labels,
    team: team === undefined || team === '' ? namespace : team,
  };
};

/** Without our own mark, which is not there at the first look; in one order, so that the same labels are the same text. */
const sorted = (labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(labels)
      .filter(([name]) => name !== INJECTED)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
