/** The operator's metrics, listed once: the page, and the table in the documentation. */
import { makeMetrics, type MetricDoc, type Metrics } from '@tollgate/runtime';
import { KUBE_METRICS } from './kube/metrics.ts';
import { RECONCILE_METRICS } from './reconcile/metrics.ts';

// prettier-ignore
const OWN_METRICS = [
  { name: 'tollgate_operator_pods', kind: 'gauge', help: 'Pods by how they stand to the proxy: well, outdated (injected under other settings or by another version), forged (marked as injected, without the proxy), missing (ask for it and lack it); and of those that carry it direct (have connections to providers past it) and unused (no call in their first hour), which the leader alone says, and which count under the former states, too.', labels: ['state'] },
  { name: 'tollgate_operator_server_requests_total', kind: 'counter', help: 'What the server was told and asked, by what came of it: ok, or the reason of the failure.', labels: ['request', 'outcome'] },
] as const satisfies readonly MetricDoc[];

export const OPERATOR_METRICS = [...RECONCILE_METRICS, ...KUBE_METRICS, ...OWN_METRICS] as const;

export type OperatorMetrics = Metrics<typeof OPERATOR_METRICS>;

export const makeOperatorMetrics = (): OperatorMetrics => makeMetrics(OPERATOR_METRICS);
