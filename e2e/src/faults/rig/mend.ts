/** Everything as good as new, whatever a fault has left behind: links healed, clocks right, paused processes going, dead ones up. */
import type { Rig } from './rig.ts';

export const mend = async ({ postgres, redis, servers, proxies, provider, secrets }: Rig): Promise<void> => {
  provider.clearScript();
  provider.release();
  for (const { toServer, toProvider, clock, useToken, useServer, freeDisk } of proxies) {
    useServer(null);
    useToken(secrets.token);
    freeDisk();
    toServer.heal();
    toProvider.heal();
    clock.jump('+0');
  }
  for (const { toPostgres, toRedis, clock } of servers) {
    toPostgres.heal();
    toRedis.heal();
    clock.jump('+0');
  }
  postgres.freeDisk();
  postgres.resume();
  if (!(await postgres.isUp())) {
    await postgres.stopImmediately();
    await postgres.start();
  }
  if (redis !== null) {
    redis.replication.heal();
    for (const each of [redis.primary(), redis.spare()]) {
      each.resume();
      if (!(await each.isUp())) await each.start();
      await each.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    await redis.promote(redis.primary());
    for (const server of servers) server.useRedis(redis.primary().port);
  }
  for (const each of [...servers, ...proxies]) {
    each.process()?.signal('SIGCONT');
    await each.start();
  }
};
