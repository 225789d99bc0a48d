import type { Migration } from '../migrate.ts';

/**
 * Events in a partition a month, so that old ones are dropped in a moment instead of deleted for hours. The month is the
 * ledger's, of when the event was stored: a proxy's clock makes no partitions. A unique key would have to contain
 * the month, and so could not tell a resend in the next month; what is stored is told by the instance's row instead
 * (`acked_seq` and `ahead`), which every batch of the instance locks, in the commit of the rows. The key within a
 * month stays, as a second lock on the same door.
 *
 * What many events have in common (who, which model, which price, which counters) lies in a row of its own: an
 * event's row is a third of what it was.
 */
export const eventsByMonth: Migration = {
  id: '0007-events-by-month',
  sql: `
ALTER TABLE instance
  ADD n     bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  ADD ahead int8multirange NOT NULL DEFAULT '{}';
INSERT INTO instance (id, hello_at)
  SELECT instance, min(recorded_at) FROM event GROUP BY instance ON CONFLICT DO NOTHING;
UPDATE instance i SET ahead = later.seqs
FROM (SELECT e.instance, range_agg(int8range(e.seq, e.seq + 1)) AS seqs
      FROM event e JOIN instance ON instance.id = e.instance WHERE e.seq > instance.acked_seq GROUP BY e.instance) AS later
WHERE later.instance = i.id;

ALTER TABLE event RENAME TO event_before;
ALTER INDEX event_pkey RENAME TO event_before_pkey;
DROP INDEX event_request, event_recorded;

CREATE SEQUENCE event_common_id;
CREATE TABLE event_common (
  id              bigint NOT NULL DEFAULT nextval('event_common_id'),
  month           date NOT NULL,
  -- SHA-256 over all that follows: two servers that meet the same for the first time make one row.
  hash            bytea NOT NULL,
  attempt         integer NOT NULL,
  namespace       text NOT NULL,
  workload        text NOT NULL,
  workload_kind   text,
  service_account text,
  pod             text,
  labels          jsonb NOT NULL,
  team            text NOT NULL,
  prompt_id       text,
  prompt_version  text,
  route           text,
  backend         text,
  provider        text NOT NULL,
  format          text NOT NULL,
  model_asked     text,
  model_sent      text,
  model_answered  text,
  settle          text NOT NULL,
  price_version   text,
  price_row       jsonb,
  unproven        boolean NOT NULL,
  stream          boolean NOT NULL,
  status          integer,
  -- Element n of each, and of counter_held and counter_amount of the event, belongs to the event's nth charge.
  counter_ids     bigint[] NOT NULL,
  counter_epochs  text[] NOT NULL,
  would_refuse    boolean[] NOT NULL,
  PRIMARY KEY (id, month),
  UNIQUE (hash, month)
) PARTITION BY LIST (month);

CREATE TABLE event (
  instance_n     bigint NOT NULL,
  seq            bigint NOT NULL,
  common         bigint NOT NULL,
  input_tokens   bigint NOT NULL,
  output_tokens  bigint NOT NULL,
  held           bigint NOT NULL,
  charged        bigint NOT NULL,
  started_ms     bigint NOT NULL,
  ended_ms       bigint NOT NULL,
  recorded_at    timestamptz NOT NULL,
  month          date NOT NULL,
  request_id     text NOT NULL,
  user_id        text,
  usage          jsonb NOT NULL,
  counter_held   bigint[] NOT NULL,
  counter_amount bigint[] NOT NULL,
  -- Tells a repeated delivery from another body under the same id.
  body_hash      bytea NOT NULL,
  PRIMARY KEY (instance_n, seq, month)
) PARTITION BY LIST (month);
CREATE INDEX event_request ON event (request_id);
-- In the order they came: a few bytes for many pages.
CREATE INDEX event_recorded ON event USING brin (recorded_at);

-- Attached, not created as a partition: that would wait for, and stop, every batch.
CREATE FUNCTION make_event_month(of_month date) RETURNS void LANGUAGE plpgsql AS $make$
DECLARE
  parent text;
  child  text;
BEGIN
  PERFORM pg_advisory_xact_lock(8389754676633367206);
  FOREACH parent IN ARRAY ARRAY['event_common', 'event'] LOOP
    child := parent || '_' || to_char(of_month, 'YYYYMM');
    CONTINUE WHEN to_regclass(child) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL, CHECK (month = %L))', child, parent, of_month);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%L)', parent, child, of_month);
  END LOOP;
END $make$;

-- Names of tables cannot be parameters of a statement; here they are quoted.
CREATE FUNCTION remove_event_month(parent text, child text, what text) RETURNS void LANGUAGE plpgsql AS $remove$
BEGIN
  EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, child);
  IF what = 'drop' THEN
    EXECUTE format('DROP TABLE %I', child);
  END IF;
END $remove$;

ALTER TABLE event_before ADD of_month date, ADD common_hash bytea;
UPDATE event_before SET
  of_month = date_trunc('month', recorded_at AT TIME ZONE 'UTC')::date,
  common_hash = sha256(convert_to(jsonb_build_array(attempt, namespace, workload, workload_kind, service_account, pod,
    labels, team, prompt_id, prompt_version, route, backend, provider, format, model_asked, model_sent, model_answered,
    settle, price_version, price_row, unproven, stream, status, counter_ids, counter_epochs, would_refuse)::text, 'UTF8'));
SELECT make_event_month(of_month) FROM (SELECT DISTINCT of_month FROM event_before) AS months;
INSERT INTO event_common (month, hash, attempt, namespace, workload, workload_kind, service_account, pod, labels, team,
    prompt_id, prompt_version, route, backend, provider, format, model_asked, model_sent, model_answered, settle,
    price_version, price_row, unproven, stream, status, counter_ids, counter_epochs, would_refuse)
  SELECT DISTINCT ON (of_month, common_hash) of_month, common_hash, attempt, namespace, workload, workload_kind,
    service_account, pod, labels, team, prompt_id, prompt_version, route, backend, provider, format, model_asked, model_sent,
    model_answered, settle, price_version, price_row, unproven, stream, status, counter_ids, counter_epochs, would_refuse
  FROM event_before;
INSERT INTO event (instance_n, seq, common, input_tokens, output_tokens, held, charged, started_ms, ended_ms, recorded_at,
    month, request_id, user_id, usage, counter_held, counter_amount, body_hash)
  SELECT i.n, b.seq, c.id, b.input_tokens, b.output_tokens, b.held, b.charged, b.started_ms, b.ended_ms, b.recorded_at,
    b.of_month, b.request_id, b.user_id, b.usage, b.counter_held, b.counter_amount,
    CASE WHEN b.body_hash ~ '^([0-9a-f]{2})*$' THEN decode(b.body_hash, 'hex') ELSE convert_to(b.body_hash, 'UTF8') END
  FROM event_before b JOIN instance i ON i.id = b.instance
  JOIN event_common c ON c.month = b.of_month AND c.hash = b.common_hash
  ORDER BY b.recorded_at;
DROP TABLE event_before;
`,
  loses: 'nothing; events of months that were dropped stay dropped, and may be counted again if they are sent again',
  down: `
CREATE TABLE event_flat AS
  SELECT i.id AS instance, e.seq, e.request_id, c.attempt, c.namespace, c.workload, c.workload_kind, c.service_account, c.pod,
         c.labels, c.team, e.user_id, c.prompt_id, c.prompt_version, c.route, c.backend, c.provider, c.format, c.model_asked,
         c.model_sent, c.model_answered, e.usage, e.input_tokens, e.output_tokens, c.settle, e.held, e.charged,
         c.price_version, c.price_row, c.unproven, c.stream, c.status, e.started_ms, e.ended_ms,
         encode(e.body_hash, 'hex') AS body_hash, e.recorded_at, c.counter_ids, c.counter_epochs, e.counter_held,
         e.counter_amount, c.would_refuse
  FROM event e JOIN instance i ON i.n = e.instance_n JOIN event_common c ON c.month = e.month AND c.id = e.common;
DROP TABLE event, event_common;
DROP FUNCTION make_event_month(date);
DROP FUNCTION remove_event_month(text, text, text);
DROP SEQUENCE event_common_id;
ALTER TABLE event_flat RENAME TO event;
ALTER TABLE event
  ALTER instance SET NOT NULL, ALTER seq SET NOT NULL, ALTER request_id SET NOT NULL, ALTER attempt SET NOT NULL,
  ALTER namespace SET NOT NULL, ALTER workload SET NOT NULL, ALTER labels SET NOT NULL, ALTER team SET NOT NULL,
  ALTER provider SET NOT NULL, ALTER format SET NOT NULL, ALTER usage SET NOT NULL, ALTER input_tokens SET NOT NULL,
  ALTER output_tokens SET NOT NULL, ALTER settle SET NOT NULL, ALTER held SET NOT NULL, ALTER charged SET NOT NULL,
  ALTER unproven SET NOT NULL, ALTER stream SET NOT NULL, ALTER started_ms SET NOT NULL, ALTER ended_ms SET NOT NULL,
  ALTER body_hash SET NOT NULL, ALTER recorded_at SET NOT NULL,
  ALTER counter_ids SET DEFAULT '{}', ALTER counter_ids SET NOT NULL,
  ALTER counter_epochs SET DEFAULT '{}', ALTER counter_epochs SET NOT NULL,
  ALTER counter_held SET DEFAULT '{}', ALTER counter_held SET NOT NULL,
  ALTER counter_amount SET DEFAULT '{}', ALTER counter_amount SET NOT NULL,
  ALTER would_refuse SET DEFAULT '{}', ALTER would_refuse SET NOT NULL,
  ADD PRIMARY KEY (instance, seq);
CREATE INDEX event_request ON event (request_id);
CREATE INDEX event_recorded ON event (recorded_at);
ALTER TABLE instance DROP n, DROP ahead;
`,
};
