import type { Transaction } from './connection.ts';

/** How the backends of routes fared of late, from the events of their attempts. */
export interface BackendTraffic {
  /** `<namespace>/<name>` */
  readonly route: string;
  /** Unique in its rule only; events do not name the rule, so namesakes of one route are taken together. */
  readonly backend: string;
  readonly requests: number;
  /** Attempts without an answer, answered 5xx, turned away (429), or not let in (401, 403). */
  readonly errors: number;
  /** Milliseconds from the call's start to the answer's end, of those without an error; null: none. */
  readonly latencyP95Ms: number | null;
  /** The HTTP status of the last error; null: none, or nothing was answered. */
  readonly lastErrorStatus: number | null;
  /** Milliseconds UTC, by the proxy's clock; null: no error. */
  readonly lastErrorAt: number | null;
}

export interface TrafficScope {
  /** Recorded since, by the ledger's clock. */
  readonly since: number;
  /** Routes of one namespace, or of all. */
  readonly namespace?: string | null;
}

/** An event without a status got no answer; who left before anything was sent leaves the same, and counts as well. */
const IS_ERROR = `CASE WHEN c.status IS NULL THEN c.settle IN ('void', 'hold', 'interrupted')
                       ELSE c.status >= 500 OR c.status IN (401, 403, 429) END`;

export const backendTraffic = async (
  tx: Transaction,
  { since, namespace = null }: TrafficScope,
): Promise<readonly BackendTraffic[]> => {
  const rows = await tx.query<{
    route: string;
    backend: string;
    requests: bigint;
    errors: bigint;
    p95: bigint | null;
    status: number | null;
    at: bigint | null;
  }>(
    `SELECT route, backend, count(*) AS requests, count(*) FILTER (WHERE is_error) AS errors,
            percentile_disc(0.95) WITHIN GROUP (ORDER BY took) FILTER (WHERE NOT is_error) AS p95,
            (array_agg(status ORDER BY ended_ms DESC) FILTER (WHERE is_error))[1] AS status,
            max(ended_ms) FILTER (WHERE is_error) AS at
     FROM (SELECT c.route, c.backend, c.status, e.ended_ms, greatest(e.ended_ms - e.started_ms, 0) AS took,
                  ${IS_ERROR} AS is_error
           FROM event e JOIN event_common c ON c.month = e.month AND c.id = e.common
           WHERE e.recorded_at >= to_timestamp($1::double precision / 1000)
             AND e.month >= date_trunc('month', to_timestamp($1::double precision / 1000) AT TIME ZONE 'UTC')::date
             AND c.route IS NOT NULL AND c.backend IS NOT NULL
             AND ($2::text IS NULL OR split_part(c.route, '/', 1) = $2)) AS recent
     GROUP BY route, backend ORDER BY route, backend`,
    [since, namespace],
  );
  return rows.map(({ route, backend, requests, errors, p95, status, at }) => ({
    route,
    backend,
    requests: Number(requests),
    errors: Number(errors),
    latencyP95Ms: p95 === null ? null : Number(p95),
    lastErrorStatus: status,
    lastErrorAt: at === null ? null : Number(at),
  }));
};
