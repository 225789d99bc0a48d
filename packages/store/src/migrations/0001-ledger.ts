import type { Migration } from '../migrate.ts';

/**
 * The ledger. Amounts are integers in the counter's unit (nano-USD, tokens, calls), ≤ 2^53 − 1 by the schema of budgets.
 * Times ending in `_ms` and all `…_at` come from the ledger's clock, never from a proxy's, but for an event's own two.
 */
export const ledger: Migration = {
  id: '0001-ledger',
  sql: `
CREATE TABLE organisation (
  singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  id         uuid NOT NULL DEFAULT gen_random_uuid(),
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO organisation DEFAULT VALUES;

-- One life of a pool. open: blocks may be taken. sealed: none any more. closed: everyone left, the rest is refunded.
CREATE TABLE epoch (
  id        text PRIMARY KEY,
  state     text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sealed', 'closed')),
  opened_at timestamptz NOT NULL,
  closed_at timestamptz
);

-- acked_seq: all events up to it are stored.
CREATE TABLE instance (
  id        text PRIMARY KEY,
  version   text,
  subject   jsonb,
  hello_at  timestamptz NOT NULL,
  acked_seq bigint NOT NULL DEFAULT 0
);

-- Who may have leases of an epoch: written before the first lease, so that the set to wait for is finite.
CREATE TABLE epoch_instance (
  epoch     text NOT NULL REFERENCES epoch (id),
  instance  text NOT NULL REFERENCES instance (id),
  joined_at timestamptz NOT NULL,
  closed_at timestamptz,
  -- Gone with its spool: what it had in hand is unresolved.
  lost      boolean NOT NULL DEFAULT false,
  PRIMARY KEY (epoch, instance)
);

-- Since when a limit has its present period, zone, unit and partition: windows that began earlier are seeded from events.
CREATE TABLE limit_definition (
  budget      text NOT NULL,
  limit_name  text NOT NULL,
  fingerprint text NOT NULL,
  since_ms    bigint NOT NULL,
  PRIMARY KEY (budget, limit_name)
);

-- A view's age, no more: budgets in force, and since when they have been without a break.
CREATE TABLE budget (
  name          text PRIMARY KEY,
  first_seen_ms bigint NOT NULL
);

CREATE TABLE counter (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  budget          text NOT NULL,
  limit_name      text NOT NULL,
  partition_value text NOT NULL,
  window_id       text NOT NULL,
  window_start_ms bigint NOT NULL,
  window_end_ms   bigint,
  sliding         boolean NOT NULL DEFAULT false,
  unit            text NOT NULL CHECK (unit IN ('cost', 'tokens', 'requests')),
  limit_max       bigint NOT NULL CHECK (limit_max >= 0),
  -- The most that may be out: the limit, or more where truth went beyond it (limit lowered, Soft, a hold too small).
  ceiling         bigint NOT NULL,
  -- What of 'settled' and 'unresolved' came from events and leases older than the counter.
  seeded          bigint NOT NULL DEFAULT 0,
  allocated       bigint NOT NULL DEFAULT 0,
  refunded        bigint NOT NULL DEFAULT 0,
  settled         bigint NOT NULL DEFAULT 0,
  unresolved      bigint NOT NULL DEFAULT 0,
  calls           bigint NOT NULL DEFAULT 0,
  input_tokens    bigint NOT NULL DEFAULT 0,
  output_tokens   bigint NOT NULL DEFAULT 0,
  would_refuse    bigint NOT NULL DEFAULT 0,
  unproven        bigint NOT NULL DEFAULT 0,
  estimated       bigint NOT NULL DEFAULT 0,
  UNIQUE (budget, limit_name, partition_value, window_id),
  CHECK (allocated - refunded <= ceiling),
  CHECK (refunded >= 0 AND refunded <= allocated),
  CHECK (settled >= 0 AND unresolved >= 0)
);
CREATE INDEX counter_window ON counter (budget, limit_name, partition_value, window_start_ms);

-- Epoch '': charged without a lease (Soft, Audit, seeds): allocated and settled at once.
CREATE TABLE counter_epoch (
  counter_id bigint NOT NULL REFERENCES counter (id),
  epoch      text NOT NULL,
  allocated  bigint NOT NULL DEFAULT 0,
  refunded   bigint NOT NULL DEFAULT 0,
  settled    bigint NOT NULL DEFAULT 0,
  unresolved bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (counter_id, epoch)
);
CREATE INDEX counter_epoch_epoch ON counter_epoch (epoch);

CREATE TABLE block (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  counter_id bigint NOT NULL REFERENCES counter (id),
  epoch      text NOT NULL REFERENCES epoch (id),
  amount     bigint NOT NULL CHECK (amount > 0),
  taken_at   timestamptz NOT NULL
);
CREATE INDEX block_counter ON block (counter_id, epoch);

-- One row a billed attempt. body_hash tells a repeated delivery from another body under the same id.
CREATE TABLE event (
  instance        text NOT NULL,
  seq             bigint NOT NULL,
  request_id      text NOT NULL,
  attempt         integer NOT NULL,
  namespace       text NOT NULL,
  workload        text NOT NULL,
  workload_kind   text,
  service_account text,
  pod             text,
  labels          jsonb NOT NULL,
  team            text NOT NULL,
  user_id         text,
  prompt_id       text,
  prompt_version  text,
  route           text,
  backend         text,
  provider        text NOT NULL,
  format          text NOT NULL,
  model_asked     text,
  model_sent      text,
  model_answered  text,
  usage           jsonb NOT NULL,
  input_tokens    bigint NOT NULL,
  output_tokens   bigint NOT NULL,
  settle          text NOT NULL,
  held            bigint NOT NULL,
  charged         bigint NOT NULL,
  price_version   text,
  price_row       jsonb,
  unproven        boolean NOT NULL,
  stream          boolean NOT NULL,
  status          integer,
  started_ms      bigint NOT NULL,
  ended_ms        bigint NOT NULL,
  body_hash       text NOT NULL,
  recorded_at     timestamptz NOT NULL,
  PRIMARY KEY (instance, seq)
);
CREATE INDEX event_request ON event (request_id);
CREATE INDEX event_recorded ON event (recorded_at);

CREATE TABLE event_counter (
  instance     text NOT NULL,
  seq          bigint NOT NULL,
  counter_id   bigint NOT NULL,
  epoch        text NOT NULL,
  held         bigint NOT NULL,
  charged      bigint NOT NULL,
  would_refuse boolean NOT NULL,
  PRIMARY KEY (instance, seq, counter_id)
);
CREATE INDEX event_counter_counter ON event_counter (counter_id);

-- What a counter was charged, by ten minutes and model: burn rate, top model.
CREATE TABLE counter_usage (
  counter_id    bigint NOT NULL,
  slot_ms       bigint NOT NULL,
  model         text NOT NULL,
  charged       bigint NOT NULL,
  calls         bigint NOT NULL,
  input_tokens  bigint NOT NULL,
  output_tokens bigint NOT NULL,
  PRIMARY KEY (counter_id, slot_ms, model)
);

-- What was charged in nano-USD, by day (UTC) and who: reports by team, model, workload and day.
CREATE TABLE usage_daily (
  day           date NOT NULL,
  team          text NOT NULL,
  namespace     text NOT NULL,
  workload      text NOT NULL,
  provider      text NOT NULL,
  model         text NOT NULL,
  charged       bigint NOT NULL,
  calls         bigint NOT NULL,
  input_tokens  bigint NOT NULL,
  output_tokens bigint NOT NULL,
  unproven      bigint NOT NULL,
  estimated     bigint NOT NULL,
  PRIMARY KEY (day, team, namespace, workload, provider, model)
);
`,
  loses: 'everything: counters, events, roll-ups, and the id of the organisation',
  down: `
DROP TABLE usage_daily, counter_usage, event_counter, event, block, counter_epoch, counter, budget, limit_definition,
           epoch_instance, instance, epoch, organisation;
`,
};
