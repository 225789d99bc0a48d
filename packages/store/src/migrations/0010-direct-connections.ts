import type { Migration } from '../migrate.ts';

/**
 * Proxies say which providers the other containers of their pod call past them, and a pod that never called at all is found
 * by its name: a proxy that is started again in a pod is another instance.
 */
export const directConnections: Migration = {
  id: '0010-direct-connections',
  sql: `
-- A list of {host, count}; null: it has not said.
ALTER TABLE connected_proxy ADD direct jsonb;
CREATE INDEX instance_pod ON instance ((subject->>'namespace'), (subject->>'pod')) WHERE acked_seq > 0;
`,
  loses: 'which pods call providers past their proxy, as their proxies said last',
  down: `
DROP INDEX instance_pod;
ALTER TABLE connected_proxy DROP direct;
`,
};
