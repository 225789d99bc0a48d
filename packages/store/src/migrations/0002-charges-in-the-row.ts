import type { Migration } from '../migrate.ts';

/**
 * A row of its own for each charge, with two indexes, was a third of the cost of a batch. They lie beside each other in
 * the event's row now; what an instance was charged in an epoch is summed up as it comes, so that closing reads no events.
 */
export const chargesInTheRow: Migration = {
  id: '0002-charges-in-the-row',
  sql: `
-- Element n of each belongs to the event's nth charge.
ALTER TABLE event
  ADD counter_ids    bigint[]  NOT NULL DEFAULT '{}',
  ADD counter_epochs text[]    NOT NULL DEFAULT '{}',
  ADD counter_held   bigint[]  NOT NULL DEFAULT '{}',
  ADD counter_amount bigint[]  NOT NULL DEFAULT '{}',
  ADD would_refuse   boolean[] NOT NULL DEFAULT '{}';
UPDATE event e SET counter_ids = c.ids, counter_epochs = c.epochs, counter_held = c.held,
                   counter_amount = c.amounts, would_refuse = c.refused
FROM (SELECT instance, seq, array_agg(counter_id ORDER BY counter_id) AS ids, array_agg(epoch ORDER BY counter_id) AS epochs,
             array_agg(held ORDER BY counter_id) AS held, array_agg(charged ORDER BY counter_id) AS amounts,
             array_agg(would_refuse ORDER BY counter_id) AS refused
      FROM event_counter GROUP BY instance, seq) AS c
WHERE c.instance = e.instance AND c.seq = e.seq;

-- What an instance's leases of an epoch were charged: what the pool must hear of when the instance leaves.
CREATE TABLE instance_charge (
  instance   text   NOT NULL,
  epoch      text   NOT NULL,
  counter_id bigint NOT NULL,
  charged    bigint NOT NULL,
  PRIMARY KEY (instance, epoch, counter_id)
);
INSERT INTO instance_charge (instance, epoch, counter_id, charged)
  SELECT instance, epoch, counter_id, sum(charged) FROM event_counter WHERE epoch <> ''
  GROUP BY instance, epoch, counter_id;
DROP TABLE event_counter;
`,
  loses: 'nothing',
  down: `
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
INSERT INTO event_counter (instance, seq, counter_id, epoch, held, charged, would_refuse)
  SELECT e.instance, e.seq, r.counter_id, r.epoch, r.held, r.charged, r.would_refuse
  FROM event e, unnest(e.counter_ids, e.counter_epochs, e.counter_held, e.counter_amount, e.would_refuse)
    AS r(counter_id, epoch, held, charged, would_refuse);
CREATE INDEX event_counter_counter ON event_counter (counter_id);
ALTER TABLE event DROP counter_ids, DROP counter_epochs, DROP counter_held, DROP counter_amount, DROP would_refuse;
DROP TABLE instance_charge;
`,
};
