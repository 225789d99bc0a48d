/** What controllers count, under the names and labels of controller-runtime and client-go, which dashboards know. */
import type { MetricDoc, Metrics } from '@tollgate/runtime';

const QUEUE_LABELS = ['name', 'controller'] as const;
const WAIT_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2, 10, 60, 600];

// prettier-ignore
export const RECONCILE_METRICS = [
  { name: 'workqueue_depth', kind: 'gauge', help: 'Keys that wait for a worker.', labels: QUEUE_LABELS },
  { name: 'workqueue_adds_total', kind: 'counter', help: 'Keys that came to wait, again and again counted.', labels: QUEUE_LABELS },
  { name: 'workqueue_retries_total', kind: 'counter', help: 'Keys put back after a failure.', labels: QUEUE_LABELS },
  { name: 'workqueue_queue_duration_seconds', kind: 'histogram', help: 'Time from coming to being taken by a worker.', labels: QUEUE_LABELS, buckets: WAIT_BUCKETS },
  { name: 'workqueue_work_duration_seconds', kind: 'histogram', help: 'Time a worker had the key.', labels: QUEUE_LABELS, buckets: WAIT_BUCKETS },
  { name: 'workqueue_unfinished_work_seconds', kind: 'gauge', help: 'Time that keys in work have taken so far, added up: grows where one is stuck.', labels: QUEUE_LABELS },
  { name: 'workqueue_longest_running_processor_seconds', kind: 'gauge', help: 'Time that the longest running reconcile has taken so far.', labels: QUEUE_LABELS },
  { name: 'controller_runtime_reconcile_total', kind: 'counter', help: 'Reconciles, by result: success, requeue_after or error.', labels: ['controller', 'result'] },
  { name: 'controller_runtime_reconcile_errors_total', kind: 'counter', help: 'Reconciles that failed.', labels: ['controller'] },
  { name: 'controller_runtime_reconcile_time_seconds', kind: 'histogram', help: 'Time a reconcile took.', labels: ['controller'], buckets: WAIT_BUCKETS },
  { name: 'controller_runtime_max_concurrent_reconciles', kind: 'gauge', help: 'Workers.', labels: ['controller'] },
  { name: 'controller_runtime_active_workers', kind: 'gauge', help: 'Workers that have a key.', labels: ['controller'] },
] as const satisfies readonly MetricDoc[];

/** The registry of the process, of which this list is a part. */
export type ReconcileMetrics = Pick<Metrics<typeof RECONCILE_METRICS>, 'add' | 'set' | 'observe' | 'source'>;
