/** What the Kubernetes side counts. The names without our prefix are client-go's, which dashboards know. */
import type { MetricDoc, Metrics } from '@tollgate/runtime';

// prettier-ignore
export const KUBE_METRICS = [
  { name: 'rest_client_requests_total', kind: 'counter', help: 'Answers of the API server by HTTP status; code 0 where none came.', labels: ['code', 'method'] },
  { name: 'tollgate_kube_watch_staleness_seconds', kind: 'gauge', help: 'Time since the API server was last heard of about a kind.', labels: ['kind'] },
  { name: 'tollgate_kube_objects', kind: 'gauge', help: 'Objects in the cache.', labels: ['kind'] },
  { name: 'tollgate_kube_lists_total', kind: 'counter', help: 'Lists read to the end, by why: start, expired, or missed events.', labels: ['kind', 'reason'] },
  { name: 'tollgate_kube_watch_ends_total', kind: 'counter', help: 'Watches that ended: closed by the server, silent, expired, refused or broken.', labels: ['kind', 'reason'] },
  { name: 'tollgate_kube_missed_events_total', kind: 'counter', help: 'Differences that a comparing list found and no event had told.', labels: ['kind'] },
  { name: 'tollgate_kube_status_writes_total', kind: 'counter', help: 'Statuses: written, unchanged, gone or failed.', labels: ['kind', 'outcome'] },
  { name: 'tollgate_kube_events_total', kind: 'counter', help: 'Kubernetes Events: created, counted into a series, dropped for their rate, or failed.', labels: ['outcome'] },
  { name: 'leader_election_master_status', kind: 'gauge', help: '1 in the process that leads.', labels: ['name'] },
] as const satisfies readonly MetricDoc[];

/** The registry of the process, of which this list is a part. */
export type KubeMetrics = Pick<Metrics<typeof KUBE_METRICS>, 'add' | 'set' | 'source'>;
