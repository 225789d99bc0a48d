import { Redis } from 'ioredis';
import { makeLibrary, type Library } from '../library.ts';

/**
 * The library with a clock that a test moves: a key beside the epoch's own. Everything else is as it ships, so what is
 * tested is what runs.
 */
export const libraryWithClock = (): Library =>
  makeLibrary({
    now: `local function now()
  return tonumber(redis.call('GET', 'tg:clock'))
end`,
  });

/** A hand at Redis, beside the pool's own: moves the clock, writes keys, flushes. */
export interface RedisHand {
  setTime(ms: number): Promise<void>;
  run(command: string, ...args: readonly string[]): Promise<unknown>;
  keys(): Promise<readonly string[]>;
  dump(key: string): Promise<Buffer>;
  /** Milliseconds; 0: it does not expire. */
  ttl(key: string): Promise<number>;
  restore(key: string, dump: Buffer, ttl: number): Promise<void>;
  release(): void;
}

export const openRedisHand = async (url: string): Promise<RedisHand> => {
  // Waits for a server that is being restarted.
  const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 100, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  await client.connect();
  return {
    setTime: async (ms) => {
      await client.set('tg:clock', String(ms));
    },
    run: (command, ...args) => client.call(command, ...args),
    keys: () => client.keys('*'),
    dump: (key) => client.dumpBuffer(key),
    ttl: async (key) => Math.max(0, await client.pttl(key)),
    restore: async (key, dump, ttl) => {
      await client.restore(key, ttl, dump);
    },
    release: () => {
      client.disconnect();
    },
  };
};
