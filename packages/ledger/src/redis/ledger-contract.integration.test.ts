import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ledgerContract, type SuiteTools } from '../contract/ledger-contract.ts';
import { makeMemoryHarness } from '../contract/memory-harness.ts';
import { makeRedisWorld } from './testing/redis-world.ts';
import { startRedis, type TestRedis } from './testing/start-redis.ts';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
}, 60_000);

afterAll(async () => {
  await redis.stop();
});

const tools: SuiteTools = {
  describe,
  it,
  same: (actual, expected) => {
    expect(actual).toEqual(expected);
  },
};
const size = { games: 50, parallel: 500, timeoutMs: 60_000 };

ledgerContract('Redis over memory blocks', () => makeMemoryHarness(() => makeRedisWorld(redis.url)), tools, size);
ledgerContract(
  'Redis whose libraries forget, over memory blocks',
  () => makeMemoryHarness(() => makeRedisWorld(redis.url, { fence: 'connection' })),
  tools,
  { ...size, games: 10 },
);
