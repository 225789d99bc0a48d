import { DEGRADED_REASONS, type DegradedReason } from '@tollgate/ledger';
import { makeMetrics, type MetricDoc, type Metrics } from '@tollgate/runtime';

/** The server's metrics, listed once. None names a tenant: the page needs no credential. */
export const SERVER_METRICS = [
  {
    name: 'tollgate_server_requests_total',
    kind: 'counter',
    help: 'Requests answered, by status class.',
    labels: ['status'],
  },
  {
    name: 'tollgate_server_leases_total',
    kind: 'counter',
    help: 'Acquisitions: granted, or refused as neverFits, exhausted or held.',
    labels: ['outcome'],
  },
  {
    name: 'tollgate_server_events_total',
    kind: 'counter',
    help: 'Events of billed attempts: stored, or repeated deliveries of a stored one.',
    labels: ['outcome'],
  },
  {
    name: 'tollgate_server_refused_total',
    kind: 'counter',
    help: 'Requests refused, by reason: what was wrong with a token, a message or its sender, or what was full or away.',
    labels: ['reason'],
  },
  {
    name: 'tollgate_server_streams_dropped_total',
    kind: 'counter',
    help: 'Snapshot streams ended because the proxy did not read them, or opened another one.',
    labels: ['reason'],
  },
  { name: 'tollgate_server_streams', kind: 'gauge', help: 'Snapshot streams that are open.' },
  { name: 'tollgate_server_proxies', kind: 'gauge', help: 'Proxies that are alive.' },
  {
    name: 'tollgate_server_proxies_degraded',
    kind: 'gauge',
    help: 'Proxies around which something is wrong, by what they said it is.',
    labels: ['reason'],
  },
  { name: 'tollgate_server_budgets', kind: 'gauge', help: 'Budgets in force.' },
  {
    name: 'tollgate_server_token_reviews_total',
    kind: 'counter',
    help: 'Tokens asked about, by outcome; unasked: nobody could be asked, and what was said before still holds.',
    labels: ['outcome'],
  },
  {
    name: 'tollgate_server_told_total',
    kind: 'counter',
    help: 'What the operator told this server, by document: written, unchanged, or refused for its faults.',
    labels: ['document', 'outcome'],
  },
  {
    name: 'tollgate_server_resources_told',
    kind: 'gauge',
    help: '1 once the resources are known; before, proxies are told to come again.',
  },
  {
    name: 'tollgate_server_caller_reviews_total',
    kind: 'counter',
    help: 'Tokens of callers that gateways asked about: accepted, expired, of another audience, invalid, or unavailable.',
    labels: ['outcome'],
  },
  { name: 'tollgate_server_pods', kind: 'gauge', help: 'Pods that carry the proxy, as the operator told.' },
] as const satisfies readonly MetricDoc[];

export type ServerMetrics = Metrics<typeof SERVER_METRICS>;

/** What the page shows as it is when the page is read. */
export interface ServerCounts {
  readonly proxies: () => number;
  readonly degraded: (reason: DegradedReason) => number;
  readonly streams: () => number;
  readonly budgets: () => number;
  readonly pods: () => number;
  readonly isTold: () => boolean;
}

export const showCounts = (metrics: ServerMetrics, counts: ServerCounts): void => {
  const plain = (value: number) => [{ labels: {}, value }];
  metrics.source('tollgate_server_proxies', () => plain(counts.proxies()));
  metrics.source('tollgate_server_proxies_degraded', () =>
    DEGRADED_REASONS.map((reason) => ({ labels: { reason }, value: counts.degraded(reason) })),
  );
  metrics.source('tollgate_server_streams', () => plain(counts.streams()));
  metrics.source('tollgate_server_budgets', () => plain(counts.budgets()));
  metrics.source('tollgate_server_pods', () => plain(counts.pods()));
  metrics.source('tollgate_server_resources_told', () => plain(counts.isTold() ? 1 : 0));
};

export const makeServerMetrics = (): ServerMetrics => makeMetrics(SERVER_METRICS, { nameless: true });
