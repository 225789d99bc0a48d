/**
 * What leasing costs the proxy. The baseline is the same proxy under a budget so large that one lease lasts the whole
 * run: leases that cost nothing at all, which is less than those of any memory.
 */
import { closedLoop, wholeSeconds } from '../load.ts';
import { cpuMicros } from '../process-stats.ts';
import { median } from '../statistics.ts';
import { redisCalls } from './counts.ts';
import { most } from './finding.ts';
import type { Finding } from './finding.ts';
import { startProxy } from './processes.ts';
import type { Running } from './processes.ts';
import type { BudgetName, World } from './world.ts';

const CONNECTIONS = 16;
const SECONDS = 2;
const WARM_SECONDS = 3;

export const measureProxyCpu = async (world: World, pool: 'memory' | 'redis'): Promise<readonly Finding[]> => {
  const server = await world.server(pool);
  const proxies: Running[] = [];
  try {
    const start = async (namespace: BudgetName): Promise<Running> => {
      const proxy = await startProxy({ ...world, serverUrl: server.url, namespace });
      proxies.push(proxy);
      return proxy;
    };
    const [rich, tight] = [await start('rich'), await start('tight')];
    const perCall = async ({ url, pid }: Running, seconds: number): Promise<number> => {
      const before = cpuMicros([pid]);
      const endpoint = { port: Number(new URL(url).port), path: '/v1/chat/completions', headers: {} };
      const { requests, errors } = await closedLoop(endpoint, CONNECTIONS, seconds, world.dir);
      if (requests === 0) throw new Error('no call came through');
      if (errors > 0) throw new Error(`${String(errors)} of ${String(requests)} calls failed`);
      return (cpuMicros([pid]) - before) / requests;
    };
    for (const proxy of [rich, tight]) await perCall(proxy, wholeSeconds(WARM_SECONDS * world.scale));
    const ratios: number[] = [];
    const micros: number[] = [];
    for (let round = 0; round < world.rounds; round += 1) {
      // By turns, so that neither always comes first.
      const order = round % 2 === 0 ? [rich, tight] : [tight, rich];
      const cost = new Map<Running, number>();
      for (const proxy of order) cost.set(proxy, await perCall(proxy, wholeSeconds(SECONDS * world.scale)));
      const [free, leased] = [cost.get(rich) ?? NaN, cost.get(tight) ?? NaN];
      ratios.push(leased / free);
      micros.push(leased);
    }
    if (pool === 'redis' && (await redisCalls(world.redis.url)) === 0)
      throw new Error('the server has no pool in Redis');
    return [
      {
        what: `CPU of the proxy a call, leases over HTTP from a pool in ${pool === 'redis' ? 'Redis' : 'memory'}, × leases that cost nothing`,
        value: median(ratios),
        goal: most(1.05),
        beside: `${median(micros).toFixed(0)} µs a call`,
        next: 'fewer, larger leases; a cheaper client for the server',
      },
    ];
  } finally {
    for (const proxy of proxies) await proxy.stop();
    await server.stop();
  }
};
