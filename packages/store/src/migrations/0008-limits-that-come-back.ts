import type { Migration } from '../migrate.ts';

/**
 * A limit that was away, or that did not count some calls, comes back to counters that missed what was spent meanwhile.
 * So a counter remembers up to which definition of its limit it was seeded, and a definition what it counts.
 */
export const limitsThatComeBack: Migration = {
  id: '0008-limits-that-come-back',
  sql: `
-- Whose calls, and of which models. Null: not told yet, which is no change.
ALTER TABLE limit_definition ADD scope text;

-- The since_ms of the definition that the counter was last seeded under.
ALTER TABLE counter ADD seeded_since_ms bigint NOT NULL DEFAULT 0;
UPDATE counter c SET seeded_since_ms = d.since_ms
FROM limit_definition d WHERE d.budget = c.budget AND d.limit_name = c.limit_name;
`,
  loses: 'which counters of limits that are away now would start again from the events when they come back',
  down: `
ALTER TABLE counter DROP seeded_since_ms;
ALTER TABLE limit_definition DROP scope;
`,
};
