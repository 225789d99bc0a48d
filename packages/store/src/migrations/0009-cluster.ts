import type { Migration } from '../migrate.ts';

/**
 * In a cluster the operator tells the servers what holds, and any of them may be told: what was said lies here, for those
 * that start later and for those beside. So does which proxies are connected where, since a budget's pods are counted over
 * all servers.
 */
export const cluster: Migration = {
  id: '0009-cluster',
  sql: `
-- Whole, as it was checked. version: of its content alone, so that the same content twice is no change.
CREATE TABLE operator_document (
  name       text PRIMARY KEY CHECK (name IN ('resources', 'pods')),
  version    text NOT NULL,
  document   text NOT NULL,
  written_at timestamptz NOT NULL,
  written_by text NOT NULL
);

-- Servers, by the database's clock: who has not been seen for a while takes its proxies along.
CREATE TABLE server_process (
  id      text PRIMARY KEY,
  seen_at timestamptz NOT NULL
);

-- Proxies on a snapshot stream, and what they said they run, which any server may hear.
CREATE TABLE connected_proxy (
  instance text PRIMARY KEY,
  -- Null: on no stream.
  server   text REFERENCES server_process (id) ON DELETE SET NULL,
  subject  jsonb,
  -- The version; null: it has not said.
  snapshot text,
  said_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX connected_proxy_server ON connected_proxy (server);

-- Calls on paths that are not metered.
ALTER TABLE counter ADD unmetered bigint NOT NULL DEFAULT 0;
ALTER TABLE charge_delta ADD unmetered bigint NOT NULL DEFAULT 0;
`,
  loses:
    'what the operator told last, which it says again, and how many calls on paths that are not metered each window had',
  down: `
ALTER TABLE charge_delta DROP unmetered;
ALTER TABLE counter DROP unmetered;
DROP TABLE connected_proxy, server_process, operator_document;
`,
};
