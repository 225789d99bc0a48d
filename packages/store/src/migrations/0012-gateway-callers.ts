import type { Migration } from '../migrate.ts';

/** A gateway decides by the policies of its callers and hardly ever by its own: it says which it runs, so that they are counted. */
export const gatewayCallers: Migration = {
  id: '0012-gateway-callers',
  sql: `
-- A list of {caller, snapshot}; null: it has not said, as one that is no gateway.
ALTER TABLE connected_proxy ADD callers jsonb;
`,
  loses: 'which policies of their callers gateways run, as they said last',
  down: `ALTER TABLE connected_proxy DROP callers;`,
};
