import type { LimitUnit } from '@tollgate/api';
import type { CounterTally } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';

/** What a budget's status is made of: every counter whose window is not over, with its sums and its recent pace. */
export interface CounterUsage extends CounterTally {
  readonly unit: LimitUnit;
  readonly windowStart: number;
  readonly windowEnd: number | null;
  readonly seeded: bigint;
  /** The definition of its limit that it was last seeded under, milliseconds since 1970; 0: it never was. */
  readonly seededSince: number;
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly wouldRefuse: bigint;
  readonly unproven: bigint;
  readonly estimated: bigint;
  /** Calls on paths that are not metered. */
  readonly unmetered: bigint;
  /** Charged since `recentSince`. */
  readonly recent: bigint;
  /** Start of the first ten minutes since then with a charge in them; null: none. */
  readonly recentFrom: number | null;
  readonly topModel: string | null;
}

export interface UsageScope {
  /** Windows that ended before are over. */
  readonly since: number;
  readonly recentSince: number;
  /** Budgets of one namespace, or all. */
  readonly namespace?: string | null;
}

interface Row {
  readonly budget: string;
  readonly limit: string;
  readonly partition: string;
  readonly windowId: string;
  readonly unit: LimitUnit;
  readonly windowStart: bigint;
  readonly windowEnd: bigint | null;
  readonly allocated: bigint;
  readonly refunded: bigint;
  readonly settled: bigint;
  readonly unresolved: bigint;
  readonly seeded: bigint;
  readonly seededSince: bigint;
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly wouldRefuse: bigint;
  readonly unproven: bigint;
  readonly estimated: bigint;
  readonly unmetered: bigint;
  readonly recent: bigint;
  readonly recentFrom: bigint | null;
  readonly topModel: string | null;
}

export const counterUsage = async (
  tx: Transaction,
  { since, recentSince, namespace = null }: UsageScope,
): Promise<readonly CounterUsage[]> => {
  const rows = await tx.query<Row>(
    `SELECT c.budget, c.limit_name AS "limit", c.partition_value AS "partition", c.window_id AS "windowId", c.unit,
            c.window_start_ms AS "windowStart", c.window_end_ms AS "windowEnd",
            (c.allocated + d.allocated)::bigint AS allocated, c.refunded, (c.settled + d.charged)::bigint AS settled,
            (c.unresolved + d.unresolved)::bigint AS unresolved, c.seeded,
            c.seeded_since_ms AS "seededSince", (c.calls + d.calls)::bigint AS calls,
            (c.input_tokens + d.input_tokens)::bigint AS "inputTokens",
            (c.output_tokens + d.output_tokens)::bigint AS "outputTokens",
            (c.would_refuse + d.would_refuse)::bigint AS "wouldRefuse", (c.unproven + d.unproven)::bigint AS unproven,
            (c.estimated + d.estimated)::bigint AS estimated, (c.unmetered + d.unmetered)::bigint AS unmetered,
            coalesce(pace.charged, 0)::bigint AS recent, pace.first AS "recentFrom", top.model AS "topModel"
     FROM counter c
     LEFT JOIN LATERAL (SELECT coalesce(sum(allocated), 0) AS allocated, coalesce(sum(charged), 0) AS charged,
                               coalesce(sum(unresolved), 0) AS unresolved, coalesce(sum(calls), 0) AS calls,
                               coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
                               coalesce(sum(would_refuse), 0) AS would_refuse, coalesce(sum(unproven), 0) AS unproven,
                               coalesce(sum(estimated), 0) AS estimated,
                               coalesce(sum(unmetered), 0) AS unmetered
                        FROM charge_delta WHERE counter_id = c.id) AS d ON true
     LEFT JOIN LATERAL (SELECT sum(charged) AS charged, min(slot_ms) AS first
                        FROM (SELECT charged, slot_ms FROM counter_usage WHERE counter_id = c.id AND slot_ms >= $2
                              UNION ALL SELECT charged, slot_ms FROM charge_delta
                              WHERE counter_id = c.id AND slot_ms >= $2 AND calls > 0) AS slots) pace ON true
     LEFT JOIN LATERAL (SELECT model FROM (SELECT model, charged FROM counter_usage WHERE counter_id = c.id
                                           UNION ALL SELECT model, charged FROM charge_delta
                                           WHERE counter_id = c.id AND calls > 0) AS models
                        GROUP BY model ORDER BY sum(charged) DESC, model LIMIT 1) top ON true
     WHERE (c.window_end_ms IS NULL OR c.window_end_ms > $1) AND ($3::text IS NULL OR split_part(c.budget, '/', 1) = $3)
     ORDER BY c.budget, c.limit_name, c.partition_value, c.window_start_ms`,
    [since, recentSince, namespace],
  );
  return rows.map((row) => ({
    ...row,
    seededSince: Number(row.seededSince),
    windowStart: Number(row.windowStart),
    windowEnd: row.windowEnd === null ? null : Number(row.windowEnd),
    recentFrom: row.recentFrom === null ? null : Number(row.recentFrom),
  }));
};
