/** How often a steady call on the $20 budget has to ask anyone: counted by the server and by Redis, not by the proxy. */
import { closedLoop, wholeSeconds } from '../load.ts';
import { redisCalls, serverCounts } from './counts.ts';
import { below, most } from './finding.ts';
import type { Finding } from './finding.ts';
import { startProxy } from './processes.ts';
import type { World } from './world.ts';

const CONNECTIONS = 8;
const SECONDS = 4;
const CHAT = '/v1/chat/completions';

export const measureRoundTrips = async (world: World, pool: 'memory' | 'redis'): Promise<readonly Finding[]> => {
  const server = await world.server(pool);
  try {
    const proxy = await startProxy({ ...world, serverUrl: server.url, namespace: 'tight' });
    try {
      const endpoint = { port: Number(new URL(proxy.url).port), path: CHAT, headers: {} };
      // The first leases, and the p95 of holds that the size of the next ones rests on.
      await closedLoop(endpoint, CONNECTIONS, 1, world.dir);
      const before = await serverCounts(server.url);
      const callsBefore = pool === 'redis' ? await redisCalls(world.redis.url) : 0;
      const { requests: calls, errors } = await closedLoop(
        endpoint,
        CONNECTIONS,
        wholeSeconds(SECONDS * world.scale),
        world.dir,
      );
      const after = await serverCounts(server.url);
      const callsAfter = pool === 'redis' ? await redisCalls(world.redis.url) : 0;
      if (pool === 'redis' && callsAfter === 0) throw new Error('the server has no pool in Redis');
      if (calls === 0) throw new Error('no call came through');
      if (errors > 0) throw new Error(`${String(errors)} of ${String(calls)} calls failed`);
      const leases = (after.leases - before.leases) / calls;
      return [
        {
          what: `lease round trips a steady call, $20 a day, pool in ${pool === 'redis' ? 'Redis' : 'memory'}`,
          value: leases,
          goal: below(0.05),
          beside: `${String(after.leases - before.leases)} in ${calls.toLocaleString('en-US')} calls; with events in batches and all else ${((after.requests - before.requests) / calls).toFixed(3)} requests a call`,
          next: 'larger leases for a proxy whose calls come this fast',
        },
        // No call makes two, so that many calls at most make one.
        { what: 'and on the median call', value: leases < 0.5 ? 0 : 1, goal: most(0), beside: 'from the same count' },
        ...(pool === 'redis'
          ? [
              {
                what: 'function calls of Redis a steady call',
                value: (callsAfter - callsBefore) / calls,
                goal: below(0.05),
                beside: "by Redis's own count; leases, blocks, charges and upkeep together",
                next: 'settle charges in Redis in fewer, larger batches',
              },
            ]
          : []),
      ];
    } finally {
      await proxy.stop();
    }
  } finally {
    await server.stop();
  }
};
