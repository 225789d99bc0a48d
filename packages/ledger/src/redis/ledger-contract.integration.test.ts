import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ledgerContract, type SuiteTools } from '../contract/ledger-contract.ts';
import { makeMemoryHarness } from '../contract/memory-harness.ts';
import { sharedPoolContract } from '../contract/shared-pool-contract.ts';
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

ledgerContract('Redis over memory blocks', () => makeMemoryHarness(() => makeRedisWorld(redis)), tools, size);
ledgerContract(
  'Redis whose libraries forget, over memory blocks',
  () => makeMemoryHarness(() => makeRedisWorld(redis, { fence: 'connection' })),
  tools,
  { ...size, games: 10 },
);

sharedPoolContract('Redis', () => makeRedisWorld(redis), tools, 60_000);
sharedPoolContract('Redis whose libraries forget', () => makeRedisWorld(redis, { fence: 'connection' }), tools, 60_000);
