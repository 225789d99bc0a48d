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
  /** As above to the first byte of the answer, of streams alone: of others it comes with the last. */
  readonly firstByteP95Ms: number | null;
  readonly outputTokens: number;
  /** Nano-USD. */
  readonly charged: bigint;
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
    first_p95: bigint | null;
    output_tokens: bigint;
    charged: bigint;
    status: number | null;
    at: bigint | null;
  }>(
    `SELECT route, backend, count(*) AS requests, count(*) FILTER (WHERE is_error) AS errors,
            percentile_disc(0.95) WITHIN GROUP (ORDER BY took) FILTER (WHERE NOT is_error) AS p95,
            percentile_disc(0.95) WITHIN GROUP (ORDER BY first_took)
              FILTER (WHERE NOT is_error AND stream AND first_took IS NOT NULL) AS first_p95,
            sum(output_tokens)::bigint AS output_tokens, sum(charged)::bigint AS charged,
            (array_agg(status ORDER BY ended_ms DESC) FILTER (WHERE is_error))[1] AS status,
            max(ended_ms) FILTER (WHERE is_error) AS at
     FROM (SELECT c.route, c.backend, c.status, c.stream, e.ended_ms, e.output_tokens, e.charged,
                  greatest(e.ended_ms - e.started_ms, 0) AS took,
                  -- Of nothing and 0 the greatest is 0.
                  CASE WHEN e.first_byte_ms IS NULL THEN NULL ELSE greatest(e.first_byte_ms - e.started_ms, 0) END AS first_took,
                  ${IS_ERROR} AS is_error
           FROM event e JOIN event_common c ON c.month = e.month AND c.id = e.common
           WHERE e.recorded_at >= to_timestamp($1::double precision / 1000)
             AND e.month >= date_trunc('month', to_timestamp($1::double precision / 1000) AT TIME ZONE 'UTC')::date
             AND c.route IS NOT NULL AND c.backend IS NOT NULL
             AND ($2::text IS NULL OR split_part(c.route, '/', 1) = $2)) AS recent
     GROUP BY route, backend ORDER BY route, backend`,
    [since, namespace],
  );
  return rows.map(({ route, backend, requests, errors, p95, first_p95, output_tokens, charged, status, at }) => ({
    route,
    backend,
    requests: Number(requests),
    errors: Number(errors),
    latencyP95Ms: p95 === null ? null : Number(p95),
    firstByteP95Ms: first_p95 === null ? null : Number(first_p95),
    outputTokens: Number(output_tokens),
    charged,
    lastErrorStatus: status,
    lastErrorAt: at === null ? null : Number(at),
  }));
};
