import type { Transaction } from './connection.ts';

/**
 * Since when each limit has been what it is. A limit that is new, was away, or changed its fingerprint (period, kind,
 * zone, unit, partition) or its scope counts as defined now: its present window is then seeded from the events.
 */
export interface LimitDefinition {
  readonly budget: string;
  readonly limit: string;
  readonly fingerprint: string;
  /** Whose calls, and of which models: another scope, and some calls of this window may not have been counted. */
  readonly scope: string;
}

export const defineLimits = async (tx: Transaction, limits: readonly LimitDefinition[], now: number): Promise<void> => {
  const rows = JSON.stringify(
    limits.map(({ budget, limit, fingerprint, scope }) => ({ budget, limit_name: limit, fingerprint, scope })),
  );
  // Two servers that define at once: one after the other.
  await tx.query('LOCK TABLE limit_definition IN SHARE ROW EXCLUSIVE MODE');
  await tx.query(
    `DELETE FROM limit_definition d WHERE NOT EXISTS (
       SELECT 1 FROM json_to_recordset($1::json) AS r(budget text, limit_name text)
       WHERE r.budget = d.budget AND r.limit_name = d.limit_name)`,
    [rows],
  );
  // Later than what its counters were seeded under, also where a clock was set back: else they would not be again.
  await tx.query(
    `INSERT INTO limit_definition AS d (budget, limit_name, fingerprint, scope, since_ms)
     SELECT r.budget, r.limit_name, r.fingerprint, r.scope,
            greatest($2::bigint, (SELECT max(c.seeded_since_ms) + 1 FROM counter c
                                  WHERE c.budget = r.budget AND c.limit_name = r.limit_name))
     FROM json_to_recordset($1::json) AS r(budget text, limit_name text, fingerprint text, scope text)
     ON CONFLICT (budget, limit_name) DO UPDATE SET fingerprint = excluded.fingerprint, scope = excluded.scope,
       since_ms = CASE WHEN d.fingerprint <> excluded.fingerprint OR d.scope <> excluded.scope
                       THEN excluded.since_ms ELSE d.since_ms END
     WHERE d.fingerprint <> excluded.fingerprint OR d.scope IS DISTINCT FROM excluded.scope`,
    [rows, now],
  );
  await tx.query(
    `DELETE FROM budget b WHERE NOT EXISTS (
       SELECT 1 FROM json_to_recordset($1::json) AS r(budget text) WHERE r.budget = b.name)`,
    [rows],
  );
  await tx.query(
    `INSERT INTO budget (name, first_seen_ms)
     SELECT DISTINCT budget, $2::bigint FROM json_to_recordset($1::json) AS r(budget text) ON CONFLICT DO NOTHING`,
    [rows, now],
  );
};

/** By `<namespace>/<budget>/<limit>`, since when each limit has been what it is. */
export const limitsSince = async (tx: Transaction): Promise<ReadonlyMap<string, number>> => {
  const rows = await tx.query<{ budget: string; limit_name: string; since_ms: bigint }>(
    'SELECT budget, limit_name, since_ms FROM limit_definition',
  );
  return new Map(rows.map((row) => [`${row.budget}/${row.limit_name}`, Number(row.since_ms)]));
};

/** By budget, since when it has been in force. */
export const budgetsSince = async (tx: Transaction): Promise<ReadonlyMap<string, number>> => {
  const rows = await tx.query<{ name: string; first_seen_ms: bigint }>('SELECT name, first_seen_ms FROM budget');
  return new Map(rows.map((row) => [row.name, Number(row.first_seen_ms)]));
};
