import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openRedisLink, type RedisLink } from './redis-link.ts';
import { RedisUnsuitable } from './redis-fault.ts';
import { openRedisHand, type RedisHand } from './testing/moved-clock.ts';
import { startRedis, type TestRedis } from './testing/start-redis.ts';

let redis: TestRedis;
let hand: RedisHand;
let link: RedisLink | null = null;
let between: Server | null = null;

beforeAll(async () => {
  redis = await startRedis();
  hand = await openRedisHand(redis.url);
}, 60_000);

afterEach(() => {
  link?.close();
  between?.close();
});

afterAll(async () => {
  hand.release();
  await redis.stop();
});

/** Of the connection with this number, counted from zero, the answer to this INFO is lost, and all that comes after it. */
const losingInfo = async (connection: number, info: number): Promise<string> => {
  let connections = 0;
  const server = createServer((caller) => {
    const isBad = connections === connection;
    connections += 1;
    let infos = 0;
    const redisEnd = connect(redis.port, '127.0.0.1');
    caller.on('data', (bytes) => {
      infos += bytes.toString('latin1').match(/\binfo\b/gi)?.length ?? 0;
      redisEnd.write(bytes);
    });
    redisEnd.on('data', (bytes) => {
      if (!isBad || infos < info) caller.write(bytes);
    });
    for (const [one, other] of [
      [caller, redisEnd],
      [redisEnd, caller],
    ] as const) {
      one.on('close', () => other.destroy());
      one.on('error', () => other.destroy());
    }
  });
  between = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `redis://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
};

const breakConnections = (): Promise<unknown> => hand.run('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');

/** Resolves once there is no server, for such a reason. */
const until = async (of: RedisLink, isSo: (fault: unknown) => boolean): Promise<void> => {
  for (;;) {
    try {
      of.server();
    } catch (fault) {
      if (isSo(fault)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('a link to Redis that was broken', () => {
  it('asks again where the server took the connection and did not say who it is', async () => {
    const faults: string[] = [];
    // The first INFO of a connection is the client's own, to see that the server is ready.
    link = await openRedisLink({
      url: await losingInfo(1, 2),
      commandMs: 200,
      onFault: (_fault, doing) => faults.push(doing),
    });
    await breakConnections();
    await until(link, () => true);
    await link.met();
    expect(link.server().runId).not.toBe('');
    expect(faults).toContain('meet Redis again');
  });

  it('finds a server that was not suitable when it came back, and is by now', async () => {
    link = await openRedisLink({ url: redis.url, commandMs: 2_000 });
    await hand.run('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await breakConnections();
    await until(link, (fault) => fault instanceof RedisUnsuitable);
    await hand.run('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await link.met();
    expect(link.server().policy).toBe('noeviction');
  });
});
