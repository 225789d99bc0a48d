import type { RedisHand } from './moved-clock.ts';

/** All keys as they are now; what it returns puts them back, as a replica that was behind would have them. */
export const copyKeys = async (hand: RedisHand): Promise<() => Promise<void>> => {
  const kept: [key: string, dump: Buffer, ttl: number][] = [];
  for (const key of await hand.keys()) kept.push([key, await hand.dump(key), await hand.ttl(key)]);
  return async () => {
    await hand.run('FLUSHALL');
    for (const [key, dump, ttl] of kept) await hand.restore(key, dump, ttl);
  };
};
