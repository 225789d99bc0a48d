/** A pool in Redis outlives its servers; its epoch ends when its contents do. Then all that nobody spent has to come back. */
import type { Rig } from '../rig/rig.ts';
import { until } from '../rig/wait.ts';
import { asked } from './ledger-sql.ts';

const CLOSED_MS = 20_000;

const OPEN = `SELECT id FROM epoch e WHERE state <> 'closed' AND EXISTS (SELECT 1 FROM of_epoch WHERE epoch = e.id)`;

export const closeEpochs = async ({ redis, servers, postgres, database }: Rig): Promise<void> => {
  if (redis === null) return;
  await redis.primary().command('FLUSHALL');
  const [server] = servers;
  // Its start is what the loss is noticed by.
  await server?.kill();
  await server?.start();
  await until('every epoch that money was taken in is closed', CLOSED_MS, async () => {
    const open = await postgres.query<object>(database, asked(OPEN));
    return open.length === 0;
  });
};
