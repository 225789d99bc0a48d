import { randomUUID } from 'node:crypto';
import { START } from '../../contract/memory-harness.ts';
import type { SharedWorld } from '../../contract/pool-world.ts';
import { makePool } from '../../pool/make-pool.ts';
import { openRedisPoolState, type RedisPoolState } from '../redis-pool-state.ts';
import { libraryWithClock, openRedisHand } from './moved-clock.ts';
import { copyKeys } from './redis-copy.ts';
import type { TestRedis } from './start-redis.ts';

/**
 * All servers share a Redis, under an organisation of this world's own; each has a connection of its own. One world at a
 * time: what happens to one happens to all in the same Redis.
 */
export const makeRedisWorld = async (
  redis: TestRedis,
  { fence = 'auto' }: { readonly fence?: 'auto' | 'connection' } = {},
): Promise<SharedWorld> => {
  const organisation = randomUUID();
  const library = libraryWithClock();
  const hand = await openRedisHand(redis.url);
  const states: RedisPoolState[] = [];
  let now = START;
  const setTime = async (ms: number): Promise<void> => {
    now = ms;
    await hand.setTime(now);
  };
  /** Everybody's connection is there again, to the server as it is now. */
  const meetAgain = async (): Promise<void> => {
    await setTime(now);
    for (const state of states) await state.met();
  };
  await setTime(now);
  return {
    isShared: true,
    open: async (deps) => {
      const state = await openRedisPoolState({
        url: redis.url,
        organisation,
        library,
        fence,
        token: randomUUID(),
        // A machine that is busy with other suites is slow, and not gone.
        commandMs: 3_000,
      });
      states.push(state);
      return makePool({ ...deps, state, sharedAs: randomUUID() });
    },
    lose: async () => {
      await hand.run('DEL', `tg:{${organisation}}:ep`);
    },
    setTime,
    release: async () => {
      for (const state of states) state.release();
      hand.release();
    },
    faults: {
      isSeenThrough: fence === 'auto',
      flush: async () => {
        await hand.run('FLUSHALL');
        await setTime(now);
      },
      write: async (pooled) => {
        for (const key of await hand.keys()) {
          if (/:c:/.test(key)) await hand.run('HSET', key, 'bal', String(pooled));
        }
      },
      keep: async () => {
        const resync = await copyKeys(hand);
        await hand.run('SAVE');
        return {
          restart: async () => {
            await redis.kill();
            await redis.start();
            await meetAgain();
          },
          resync: async () => {
            await resync();
            await setTime(now);
          },
        };
      },
    },
  };
};
