import type { Transaction } from './connection.ts';

/**
 * What batches added to counters, moved from where they append it to where it is summed: by epoch, by ten minutes and
 * model, and the counter itself. The counters must be locked: whoever reads their sums for a decision folds first.
 */
export const foldLocked = async (tx: Transaction, ids: readonly bigint[]): Promise<boolean> => {
  if (ids.length === 0) return false;
  return (await tx.query(FOLD, [ids])).length > 0;
};

/** Counters that have something to fold, the lowest ids first. */
export const unfoldedCounters = async (tx: Transaction, epoch: string | null): Promise<readonly bigint[]> => {
  const rows = await tx.query<{ id: bigint }>(
    `SELECT DISTINCT counter_id AS id FROM charge_delta WHERE $1::text IS NULL OR epoch = $1 ORDER BY 1`,
    [epoch],
  );
  return rows.map(({ id }) => id);
};

const FOLD = `WITH gone AS (
    DELETE FROM charge_delta WHERE counter_id = ANY($1::bigint[]) RETURNING *
  ), of_epoch AS (
    INSERT INTO counter_epoch (counter_id, epoch, settled, allocated, unresolved)
    SELECT counter_id, epoch, sum(charged), sum(allocated), sum(unresolved) FROM gone GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (counter_id, epoch) DO UPDATE SET
      settled = counter_epoch.settled + excluded.settled,
      allocated = counter_epoch.allocated + excluded.allocated,
      unresolved = counter_epoch.unresolved + excluded.unresolved
  ), of_slot AS (
    INSERT INTO counter_usage (counter_id, slot_ms, model, charged, calls, input_tokens, output_tokens)
    SELECT counter_id, slot_ms, model, sum(charged), sum(calls), sum(input_tokens), sum(output_tokens) FROM gone
    WHERE calls > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (counter_id, slot_ms, model) DO UPDATE SET
      charged = counter_usage.charged + excluded.charged,
      calls = counter_usage.calls + excluded.calls,
      input_tokens = counter_usage.input_tokens + excluded.input_tokens,
      output_tokens = counter_usage.output_tokens + excluded.output_tokens
  )
  UPDATE counter c SET
    ceiling       = greatest(c.ceiling, c.allocated - c.refunded + d.allocated),
    settled       = c.settled + d.charged,
    allocated     = c.allocated + d.allocated,
    unresolved    = c.unresolved + d.unresolved,
    calls         = c.calls + d.calls,
    input_tokens  = c.input_tokens + d.input_tokens,
    output_tokens = c.output_tokens + d.output_tokens,
    would_refuse  = c.would_refuse + d.would_refuse,
    unproven      = c.unproven + d.unproven,
    estimated     = c.estimated + d.estimated,
    unmetered     = c.unmetered + d.unmetered
  FROM (SELECT counter_id, sum(charged) AS charged, sum(allocated) AS allocated, sum(unresolved) AS unresolved,
               sum(calls) AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
               sum(would_refuse) AS would_refuse, sum(unproven) AS unproven, sum(estimated) AS estimated,
               sum(unmetered) AS unmetered
        FROM gone GROUP BY counter_id) AS d
  WHERE c.id = d.counter_id RETURNING c.id`;
