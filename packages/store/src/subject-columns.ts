/** The subject as the event table keeps it, a column a field. */
import type { Subject } from '@tollgate/api';

export interface SubjectColumns {
  readonly namespace: string;
  readonly workload: string;
  readonly workload_kind: string | null;
  readonly service_account: string | null;
  readonly pod: string | null;
  readonly labels: Subject['labels'];
  readonly team: string;
}

export const toSubject = (row: SubjectColumns): Subject => ({
  namespace: row.namespace,
  workload: row.workload,
  ...(row.workload_kind === null ? {} : { workloadKind: row.workload_kind }),
  ...(row.service_account === null ? {} : { serviceAccount: row.service_account }),
  ...(row.pod === null ? {} : { pod: row.pod }),
  labels: row.labels,
  team: row.team,
});
