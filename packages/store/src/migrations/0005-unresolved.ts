import type { Migration } from '../migrate.ts';

/**
 * What a lost instance took is charged as unresolved until someone releases it: who said that it is lost and why, and who
 * gave what back. The amounts stay where they are summed, in `counter_epoch`.
 */
export const unresolved: Migration = {
  id: '0005-unresolved',
  sql: `
ALTER TABLE instance
  ADD abandoned_at     timestamptz,
  ADD abandoned_by     text,
  ADD abandoned_reason text;

CREATE TABLE unresolved_release (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  counter_id  bigint NOT NULL REFERENCES counter (id),
  epoch       text NOT NULL,
  amount      bigint NOT NULL CHECK (amount > 0),
  released_at timestamptz NOT NULL,
  released_by text NOT NULL,
  reason      text NOT NULL
);
CREATE INDEX counter_epoch_unresolved ON counter_epoch (counter_id) WHERE unresolved > 0;
`,
  loses: 'who declared instances lost and why, and who released what; the sums stay as they are',
  down: `
DROP INDEX counter_epoch_unresolved;
DROP TABLE unresolved_release;
ALTER TABLE instance DROP abandoned_at, DROP abandoned_by, DROP abandoned_reason;
`,
};
