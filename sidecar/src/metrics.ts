/** The proxy's metrics: plain numbers on the metered path, read only when the page is. Nameless: anyone in the pod may read it. */
import { makeMetrics, type MetricDoc, type Metrics } from '@tollgate/runtime';
import type { Escrow, EscrowDeps } from '@tollgate/ledger/escrow';
import { DEGRADED_REASONS } from '@tollgate/ledger';
import type { VerdictOutcome } from './callers/verdicts.ts';
import type { Condition } from './degraded.ts';
import type { ServerObserver } from './server.ts';
import type { AttemptObserver } from './pipeline/attempt.ts';

export const PROXY_METRICS = [
  { name: 'tollgate_calls_total', kind: 'counter', help: 'Calls that reached the proxy.' },
  { name: 'tollgate_calls_open', kind: 'gauge', help: 'Calls under way.' },
  {
    name: 'tollgate_refusals_total',
    kind: 'counter',
    help: 'Calls that the proxy itself answered with a "no", by its code.',
    labels: ['code'],
  },
  { name: 'tollgate_faults_total', kind: 'counter', help: 'Calls answered 500 for a fault of the proxy.' },
  {
    name: 'tollgate_attempts_settled_total',
    kind: 'counter',
    help: 'Upstream attempts settled, by how.',
    labels: ['kind'],
  },
  {
    name: 'tollgate_hold_violations_total',
    kind: 'counter',
    help: 'Attempts charged more than was held. Must stay 0.',
  },
  {
    name: 'tollgate_clamped_calls_total',
    kind: 'counter',
    help: 'Calls whose output cap was lowered to what the budget could pay.',
  },
  {
    name: 'tollgate_unmetered_calls_total',
    kind: 'counter',
    help: 'Calls to paths that are not metered and not known to be free.',
  },
  { name: 'tollgate_lease_requests_total', kind: 'counter', help: 'Lease acquisitions sent to the ledger.' },
  { name: 'tollgate_holds_open', kind: 'gauge', help: 'Holds not yet settled.' },
  { name: 'tollgate_spool_pending_events', kind: 'gauge', help: 'Events that the ledger has not acknowledged yet.' },
  {
    name: 'tollgate_spool_bytes',
    kind: 'gauge',
    help: 'Size of the spool; from 90 % of its bound no call is taken on.',
  },
  {
    name: 'tollgate_spool_bytes_max',
    kind: 'gauge',
    help: 'Bound of the spool: as set, or what its disk has room for.',
  },
  {
    name: 'tollgate_spool_write_faults_total',
    kind: 'counter',
    help: 'Writes that the disk of the spool did not take.',
  },
  {
    name: 'tollgate_proxy_degraded',
    kind: 'gauge',
    help: '1 while something around the proxy is wrong, by what.',
    labels: ['reason'],
  },
  {
    name: 'tollgate_overdraft_attempts_total',
    kind: 'counter',
    help: 'Attempts paid from an overdraft, while no lease could be had.',
  },
  {
    name: 'tollgate_overdraft_left_nanousd',
    kind: 'gauge',
    help: 'Overdrafts in hand for the next outage, in billionths of a dollar.',
  },
  {
    name: 'tollgate_policy_age_seconds',
    kind: 'gauge',
    help: 'Time since the control plane was last heard of; 0 before the first policy.',
  },
  {
    name: 'tollgate_caller_tokens_total',
    kind: 'counter',
    help: "Callers' tokens that a gateway asked the server about, by outcome; unasked: it was away, and what it said before still holds.",
    labels: ['outcome'],
  },
  { name: 'tollgate_callers', kind: 'gauge', help: 'Callers of a gateway whose policy it follows.' },
  {
    name: 'tollgate_direct_connections',
    kind: 'gauge',
    help: "Connections of the pod's other containers to a provider past the proxy, at the last look.",
  },
  { name: 'tollgate_snapshot_ready', kind: 'gauge', help: '1 once a policy is in force.' },
] as const satisfies readonly MetricDoc[];

export interface ProxyObserver extends ServerObserver, AttemptObserver {
  unmetered(): void;
  tokenReviewed(outcome: VerdictOutcome): void;
}

export interface ProxyMetrics {
  readonly observer: ProxyObserver;
  readonly page: Metrics<typeof PROXY_METRICS>;
}

export interface ObserverLog {
  readonly refused: (fields: {
    readonly code: string;
    readonly status: number;
    readonly budget: string | null;
    readonly requestId: string;
  }) => void;
  readonly faulted: (error: unknown, requestId: string) => void;
  readonly holdViolated: (model: string | null) => void;
}

export interface ProxyMetricsDeps {
  readonly log: ObserverLog;
  readonly stats: () => ReturnType<Escrow['stats']>;
  readonly isReady: () => boolean;
  readonly spool: EscrowDeps['spool']['stats'];
  readonly condition: () => Condition;
  readonly policyAgeMs: () => number | null;
  readonly callers: () => number;
  readonly directConnections: () => number;
}

export const makeProxyMetrics = ({
  log,
  stats,
  isReady,
  spool,
  condition,
  policyAgeMs,
  callers,
  directConnections,
}: ProxyMetricsDeps): ProxyMetrics => {
  const page = makeMetrics(PROXY_METRICS, { nameless: true });
  const counts = { calls: 0, open: 0, faults: 0, violations: 0, clamped: 0, unmetered: 0 };
  const refusals = new Map<string, number>();
  const settled = new Map<string, number>();
  const tokens = new Map<string, number>();
  const bump = (counter: Map<string, number>, key: string): void => void counter.set(key, (counter.get(key) ?? 0) + 1);
  const plain = (read: () => number) => () => [{ labels: {}, value: read() }];

  page.source(
    'tollgate_calls_total',
    plain(() => counts.calls),
  );
  page.source(
    'tollgate_calls_open',
    plain(() => counts.open),
  );
  page.source(
    'tollgate_faults_total',
    plain(() => counts.faults),
  );
  page.source(
    'tollgate_hold_violations_total',
    plain(() => counts.violations),
  );
  page.source(
    'tollgate_clamped_calls_total',
    plain(() => counts.clamped),
  );
  page.source(
    'tollgate_unmetered_calls_total',
    plain(() => counts.unmetered),
  );
  page.source('tollgate_refusals_total', () => [...refusals].map(([code, value]) => ({ labels: { code }, value })));
  page.source('tollgate_attempts_settled_total', () =>
    [...settled].map(([kind, value]) => ({ labels: { kind }, value })),
  );
  page.source(
    'tollgate_lease_requests_total',
    plain(() => stats().acquisitions),
  );
  page.source(
    'tollgate_holds_open',
    plain(() => stats().openHolds),
  );
  page.source(
    'tollgate_spool_pending_events',
    plain(() => stats().pendingEvents),
  );
  page.source(
    'tollgate_spool_bytes',
    plain(() => spool().bytes),
  );
  page.source(
    'tollgate_spool_bytes_max',
    plain(() => spool().maxBytes),
  );
  page.source(
    'tollgate_spool_write_faults_total',
    plain(() => spool().writeFaults),
  );
  page.source('tollgate_proxy_degraded', () => {
    const { reasons } = condition();
    return DEGRADED_REASONS.map((reason) => ({ labels: { reason }, value: reasons.includes(reason) ? 1 : 0 }));
  });
  page.source(
    'tollgate_overdraft_attempts_total',
    plain(() => stats().overdrawn),
  );
  page.source(
    'tollgate_overdraft_left_nanousd',
    plain(() => Number(stats().overdraftLeft)),
  );
  page.source(
    'tollgate_policy_age_seconds',
    plain(() => (policyAgeMs() ?? 0) / 1000),
  );
  page.source('tollgate_caller_tokens_total', () =>
    [...tokens].map(([outcome, value]) => ({ labels: { outcome }, value })),
  );
  page.source('tollgate_callers', plain(callers));
  page.source('tollgate_direct_connections', plain(directConnections));
  page.source(
    'tollgate_snapshot_ready',
    plain(() => (isReady() ? 1 : 0)),
  );

  return {
    page,
    observer: {
      callStarted() {
        counts.calls += 1;
        counts.open += 1;
      },
      callEnded() {
        counts.open -= 1;
      },
      refused({ code, status, budget }, { requestId }) {
        bump(refusals, code);
        log.refused({ code, status, budget, requestId });
      },
      faulted(error, { requestId }) {
        counts.faults += 1;
        log.faulted(error, requestId);
      },
      settled(kind) {
        bump(settled, kind);
      },
      holdViolated(model) {
        counts.violations += 1;
        log.holdViolated(model);
      },
      clamped() {
        counts.clamped += 1;
      },
      unmetered() {
        counts.unmetered += 1;
      },
      tokenReviewed(outcome) {
        bump(tokens, outcome);
      },
    },
  };
};
