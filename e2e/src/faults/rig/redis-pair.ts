/** Two Redis, of which one holds the pool and the other may take its place, and the link by which it follows, late if need be. */
import { startTcpFaultProxy, type TcpFaultProxy } from '@tollgate/testkit';
import { startRedis, type RigRedis } from './redis.ts';
import { until } from './wait.ts';

export interface RedisPair {
  primary(): RigRedis;
  spare(): RigRedis;
  /** From the primary to whoever follows it: what is held back here is lost at a promotion. */
  readonly replication: TcpFaultProxy;
  /** The spare follows the primary, and has all that it has. */
  follow(): Promise<void>;
  /** Follows nobody any more. Who is asked from now on is another matter. */
  promote(which: RigRedis): Promise<void>;
  /** The spare is the primary from now on. */
  swap(): void;
  release(): Promise<void>;
}

const SYNC_MS = 10_000;

export const startRedisPair = async (folder: string, password: string): Promise<RedisPair> => {
  const pair = [await startRedis(folder, 'redis-a', password), await startRedis(folder, 'redis-b', password)] as const;
  let first: 0 | 1 = 0;
  const primary = (): RigRedis => pair[first];
  const spare = (): RigRedis => pair[first === 0 ? 1 : 0];
  const replication = await startTcpFaultProxy(() => ({ host: '127.0.0.1', port: primary().port }));
  return {
    primary,
    spare,
    replication,
    follow: async () => {
      await spare().command('REPLICAOF', '127.0.0.1', String(replication.port));
      await until('the replica has all that its primary has', SYNC_MS, async () =>
        (await spare().command('INFO', 'replication')).includes('master_link_status:up'),
      );
    },
    promote: async (which) => {
      await which.command('REPLICAOF', 'NO', 'ONE');
    },
    swap: () => {
      first = first === 0 ? 1 : 0;
    },
    release: async () => {
      await replication.stop();
      for (const each of pair) await each.release();
    },
  };
};
