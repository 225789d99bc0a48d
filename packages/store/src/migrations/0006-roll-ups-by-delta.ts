import type { Migration } from '../migrate.ts';

/**
 * A roll-up row that every batch updates is a queue: its lock is held to the commit, and a limit shared by a thousand
 * proxies takes one batch at a time. Batches now append what they add, in the commit of their rows, and lock nothing that
 * others want; sums are what is folded plus what is not yet, and folding moves one into the other. Usage is kept by
 * prompt too, and summed anew from the events.
 */
export const rollUpsByDelta: Migration = {
  id: '0006-roll-ups-by-delta',
  sql: `
CREATE TABLE charge_delta (
  counter_id    bigint NOT NULL,
  slot_ms       bigint NOT NULL,
  charged       bigint NOT NULL,
  allocated     bigint NOT NULL,
  unresolved    bigint NOT NULL,
  calls         bigint NOT NULL,
  input_tokens  bigint NOT NULL,
  output_tokens bigint NOT NULL,
  would_refuse  bigint NOT NULL,
  unproven      bigint NOT NULL,
  estimated     bigint NOT NULL,
  epoch         text NOT NULL,
  model         text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX charge_delta_counter ON charge_delta (counter_id);

CREATE TABLE usage_delta (
  day            date NOT NULL,
  charged        bigint NOT NULL,
  calls          bigint NOT NULL,
  input_tokens   bigint NOT NULL,
  output_tokens  bigint NOT NULL,
  unproven       bigint NOT NULL,
  estimated      bigint NOT NULL,
  team           text NOT NULL,
  namespace      text NOT NULL,
  workload       text NOT NULL,
  provider       text NOT NULL,
  model          text NOT NULL,
  prompt_id      text NOT NULL,
  prompt_version text NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

ALTER TABLE usage_daily
  DROP CONSTRAINT usage_daily_pkey,
  ADD prompt_id      text NOT NULL DEFAULT '',
  ADD prompt_version text NOT NULL DEFAULT '';
TRUNCATE usage_daily;
INSERT INTO usage_daily (day, team, namespace, workload, provider, model, prompt_id, prompt_version,
                         charged, calls, input_tokens, output_tokens, unproven, estimated)
  SELECT (recorded_at AT TIME ZONE 'UTC')::date, team, namespace, workload, provider,
         coalesce(model_sent, model_asked, model_answered, ''), coalesce(prompt_id, ''), coalesce(prompt_version, ''),
         sum(charged), count(*), sum(input_tokens), sum(output_tokens),
         count(*) FILTER (WHERE unproven), count(*) FILTER (WHERE settle = 'estimated')
  FROM event GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
ALTER TABLE usage_daily
  ADD PRIMARY KEY (day, team, namespace, workload, provider, model, prompt_id, prompt_version);
`,
  loses: 'which prompts the usage of a day belongs to',
  down: `
INSERT INTO counter_epoch (counter_id, epoch, settled, allocated, unresolved)
  SELECT counter_id, epoch, sum(charged), sum(allocated), sum(unresolved) FROM charge_delta GROUP BY 1, 2
  ON CONFLICT (counter_id, epoch) DO UPDATE SET settled = counter_epoch.settled + excluded.settled,
    allocated = counter_epoch.allocated + excluded.allocated, unresolved = counter_epoch.unresolved + excluded.unresolved;
INSERT INTO counter_usage (counter_id, slot_ms, model, charged, calls, input_tokens, output_tokens)
  SELECT counter_id, slot_ms, model, sum(charged), sum(calls), sum(input_tokens), sum(output_tokens) FROM charge_delta
  WHERE calls > 0 GROUP BY 1, 2, 3
  ON CONFLICT (counter_id, slot_ms, model) DO UPDATE SET charged = counter_usage.charged + excluded.charged,
    calls = counter_usage.calls + excluded.calls, input_tokens = counter_usage.input_tokens + excluded.input_tokens,
    output_tokens = counter_usage.output_tokens + excluded.output_tokens;
UPDATE counter c SET
    ceiling = greatest(c.ceiling, c.allocated - c.refunded + d.allocated), settled = c.settled + d.charged,
    allocated = c.allocated + d.allocated, unresolved = c.unresolved + d.unresolved, calls = c.calls + d.calls,
    input_tokens = c.input_tokens + d.input_tokens, output_tokens = c.output_tokens + d.output_tokens,
    would_refuse = c.would_refuse + d.would_refuse, unproven = c.unproven + d.unproven, estimated = c.estimated + d.estimated
  FROM (SELECT counter_id, sum(charged) AS charged, sum(allocated) AS allocated, sum(unresolved) AS unresolved,
               sum(calls) AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
               sum(would_refuse) AS would_refuse, sum(unproven) AS unproven, sum(estimated) AS estimated
        FROM charge_delta GROUP BY 1) AS d
  WHERE c.id = d.counter_id;
CREATE TABLE usage_before AS
  SELECT day, team, namespace, workload, provider, model, sum(charged)::bigint AS charged, sum(calls)::bigint AS calls,
         sum(input_tokens)::bigint AS input_tokens, sum(output_tokens)::bigint AS output_tokens,
         sum(unproven)::bigint AS unproven, sum(estimated)::bigint AS estimated
  FROM (SELECT day, team, namespace, workload, provider, model, charged, calls, input_tokens, output_tokens, unproven, estimated
        FROM usage_daily
        UNION ALL SELECT day, team, namespace, workload, provider, model, charged, calls, input_tokens, output_tokens,
                         unproven, estimated FROM usage_delta) AS both_parts
  GROUP BY 1, 2, 3, 4, 5, 6;
TRUNCATE usage_daily;
ALTER TABLE usage_daily DROP CONSTRAINT usage_daily_pkey, DROP prompt_id, DROP prompt_version;
ALTER TABLE usage_daily ADD PRIMARY KEY (day, team, namespace, workload, provider, model);
INSERT INTO usage_daily (day, team, namespace, workload, provider, model, charged, calls, input_tokens, output_tokens,
                         unproven, estimated)
  SELECT day, team, namespace, workload, provider, model, charged, calls, input_tokens, output_tokens, unproven, estimated
  FROM usage_before;
DROP TABLE usage_before, usage_delta, charge_delta;
`,
};
