/** What the injector counts. */
import type { MetricDoc, Metrics } from '@tollgate/runtime';

// prettier-ignore
export const INJECTOR_METRICS = [
  { name: 'tollgate_injections_total', kind: 'counter', help: 'Objects looked at: pods injected, repaired, already well, skipped or refused, with the reason; workloads whose annotation was carried, removed or unchanged.', labels: ['outcome', 'reason'] },
  { name: 'tollgate_admission_answers_total', kind: 'counter', help: 'Answers to the API server by HTTP status; 0 where the caller hung up.', labels: ['code'] },
  { name: 'tollgate_admission_seconds', kind: 'histogram', help: 'From the head of a review to its answer.', buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] },
  { name: 'tollgate_admission_failures_total', kind: 'counter', help: 'Objects that could not be looked at, by a fault of the injector.' },
  { name: 'tollgate_webhook_certificate_expiry_seconds', kind: 'gauge', help: 'Until the certificate that this replica serves expires; it is renewed after two thirds of its life.' },
  { name: 'tollgate_injection_settings_faults_total', kind: 'counter', help: 'Times that the settings file was found changed and faulty; the former settings stay in force.' },
] as const satisfies readonly MetricDoc[];

export type InjectorMetrics = Pick<Metrics<typeof INJECTOR_METRICS>, 'add' | 'observe' | 'source'>;
