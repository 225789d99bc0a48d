import type { Migration } from '../migrate.ts';

/**
 * Several servers may share one pool. Its epoch is the same for all, so it stands here which one is current; a block whose
 * taker died before loading it is found by its flag; and a refund that is sent twice is booked once, by its id.
 */
export const sharedPool: Migration = {
  id: '0004-shared-pool',
  sql: `
-- number: rises over all shared epochs; null for an epoch of one server's own pool.
-- library: the version of the functions that everyone calls for it.
ALTER TABLE epoch
  ADD number  bigint UNIQUE,
  ADD library text,
  -- Nothing of it is left in the shared pool's state.
  ADD swept   boolean NOT NULL DEFAULT true,
  ADD CHECK ((number IS NULL) = (library IS NULL));

-- The one row that who makes the next epoch must lock.
CREATE TABLE shared_pool (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  epoch     text REFERENCES epoch (id)
);
INSERT INTO shared_pool DEFAULT VALUES;

-- false: of a shared epoch, and nobody has said yet that the pool has it.
ALTER TABLE block ADD loaded boolean NOT NULL DEFAULT true;
CREATE INDEX block_not_loaded ON block (epoch) WHERE NOT loaded;

-- What was taken out of a pool and is booked as refunded.
CREATE TABLE pool_refund (
  id        text PRIMARY KEY,
  epoch     text NOT NULL REFERENCES epoch (id),
  booked_at timestamptz NOT NULL
);
CREATE INDEX pool_refund_epoch ON pool_refund (epoch);

-- Processes that use the shared pool, by the database's clock.
CREATE TABLE pool_process (
  id       text PRIMARY KEY,
  library  text NOT NULL,
  dialects integer[] NOT NULL,
  seen_at  timestamptz NOT NULL
);
`,
  loses:
    'which epoch the servers share, and which blocks and refunds are under way: stop every server first; the next one seals the epoch',
  down: `
DROP TABLE pool_process;
DROP TABLE pool_refund;
DROP INDEX block_not_loaded;
ALTER TABLE block DROP loaded;
DROP TABLE shared_pool;
ALTER TABLE epoch DROP number, DROP library, DROP swept;
`,
};
