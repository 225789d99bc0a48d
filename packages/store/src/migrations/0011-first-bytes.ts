import type { Migration } from '../migrate.ts';

/** How long a caller waits for the first token of a stream is what it feels, and no charge says it. */
export const firstBytes: Migration = {
  id: '0011-first-bytes',
  sql: `
-- Milliseconds UTC, by the proxy's clock; null: no byte of an answer came, or the proxy did not say.
ALTER TABLE event ADD first_byte_ms bigint;
`,
  loses: 'when the first byte of each answer came',
  down: `ALTER TABLE event DROP first_byte_ms;`,
};
