import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CounterName } from '../counter.ts';
import { openRecallChannel, type RedisRecallChannel } from './recall-channel.ts';
import { openRedisHand, startRedis, type TestRedis } from './testing/index.ts';

const COUNTER = { budget: 'shop/monthly', limit: 'cost', partition: 'a' };

describe('recalls over Redis', () => {
  let redis: TestRedis;
  const opened: RedisRecallChannel[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  }, 60_000);
  afterAll(async () => {
    for (const channel of opened) channel.release();
    await redis.stop();
  });

  const open = (server: string, organisation = 'org') => {
    const channel = openRecallChannel({ url: redis.url, organisation, server });
    const heard: [CounterName, string][] = [];
    channel.listen((counter, except) => heard.push([counter, except]));
    opened.push(channel);
    return { ...channel, heard };
  };

  it('reach the other servers of the installation, and neither oneself nor strangers', async () => {
    const [a, b, other] = [open('a'), open('b'), open('c', 'other')];
    // Connections are made in the background: said again until it is heard, as a waiting call does.
    await until(() => {
      a.publish(COUNTER, 'proxy-1');
      return b.heard.length > 0;
    });
    expect(b.heard[0]).toEqual([COUNTER, 'proxy-1']);
    expect([a.heard, other.heard]).toEqual([[], []]);
  });

  it('leave out what is none, and go on after it', async () => {
    const [a, b] = [open('a'), open('b')];
    const hand = await openRedisHand(redis.url);
    await until(() => {
      a.publish(COUNTER, '');
      return b.heard.length > 0;
    });
    for (const message of ['', '{', '{"counter":{}}', '[]']) await hand.run('PUBLISH', 'tg:{org}:recall', message);
    hand.release();
    const before = b.heard.length;
    await until(() => {
      a.publish(COUNTER, 'again');
      return b.heard.length > before;
    });
    expect(b.heard.every(([counter]) => counter.budget === 'shop/monthly')).toBe(true);
  });
});

const until = async (claim: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 400; tries += 1) {
    if (claim()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come to pass');
};
