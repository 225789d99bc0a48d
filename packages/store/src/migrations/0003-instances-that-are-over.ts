import type { Migration } from '../migrate.ts';

/**
 * A question of a process that has died may arrive after its successor has closed all it ever had: once an instance is
 * over, nothing lets it into an epoch again, which nobody would close.
 */
export const instancesThatAreOver: Migration = {
  id: '0003-instances-that-are-over',
  sql: `ALTER TABLE instance ADD over_at timestamptz;`,
  loses: 'which instances are over: a late question of one that has died may open a lease that nobody closes',
  down: `ALTER TABLE instance DROP over_at;`,
};
