import { randomUUID } from 'node:crypto';
import { START } from '../../contract/memory-harness.ts';
import type { PoolWorld } from '../../contract/pool-world.ts';
import { makePool } from '../../pool/make-pool.ts';
import { openRedisPoolState, type RedisPoolState } from '../redis-pool-state.ts';
import { libraryWithClock, openRedisHand } from './moved-clock.ts';

/** All servers share a Redis, under an organisation of this world's own; each has a connection of its own. */
export const makeRedisWorld = async (
  url: string,
  { fence = 'auto' }: { readonly fence?: 'auto' | 'connection' } = {},
): Promise<PoolWorld> => {
  const organisation = randomUUID();
  const library = libraryWithClock();
  const hand = await openRedisHand(url);
  const states: RedisPoolState[] = [];
  await hand.setTime(START);
  return {
    isShared: true,
    open: async (deps) => {
      const state = await openRedisPoolState({
        url,
        organisation,
        library,
        fence,
        token: randomUUID(),
        // A machine that is busy with other suites is slow, and not gone.
        commandMs: 10_000,
      });
      states.push(state);
      return makePool({ ...deps, state, sharedAs: randomUUID() });
    },
    lose: async () => {
      await hand.run('DEL', `tg:{${organisation}}:ep`);
    },
    setTime: (ms) => hand.setTime(ms),
    release: async () => {
      for (const state of states) state.release();
      hand.release();
    },
  };
};
