import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ledgerContract, type SuiteTools } from '@tollgate/ledger/contract';
import { makeRedisWorld, startRedis, type TestRedis } from '@tollgate/ledger/redis/testing';
import { startPostgres, type TestPostgres } from '@tollgate/store/testing';
import { makeHttpHarness } from './testing/http-harness.ts';

let postgres: TestPostgres;
let redis: TestRedis;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
}, 60_000);

afterAll(async () => {
  await Promise.all([postgres.stop(), redis.stop()]);
});

const tools: SuiteTools = {
  describe,
  it,
  same: (actual, expected) => {
    expect(actual).toEqual(expected);
  },
};

ledgerContract('HTTP client, server and PostgreSQL', async () => makeHttpHarness(await postgres.database(), 5), tools, {
  games: 5,
  parallel: 500,
  timeoutMs: 60_000,
});
ledgerContract(
  'HTTP client, server, Redis and PostgreSQL',
  async () => makeHttpHarness(await postgres.database(), 5, () => makeRedisWorld(redis)),
  tools,
  { games: 3, parallel: 200, timeoutMs: 60_000 },
);
