import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ledgerContract, sharedPoolContract, type SuiteTools } from '@tollgate/ledger/contract';
import { makeRedisWorld, startRedis, type TestRedis } from '@tollgate/ledger/redis/testing';
import { startPglite, type TestPglite } from './testing/pglite.ts';
import { openBareStore, sourceOn } from './testing/store-source.ts';
import { startPostgres, type TestPostgres } from './testing/postgres.ts';
import { makeStoreHarness } from './testing/store-harness.ts';

let lite: TestPglite;
let postgres: TestPostgres;
let redis: TestRedis;
let database: string;

beforeAll(async () => {
  [lite, postgres, redis] = await Promise.all([startPglite(), startPostgres(), startRedis()]);
  database = await postgres.database();
}, 60_000);

afterAll(async () => {
  await Promise.all([lite.stop(), postgres.stop(), redis.stop()]);
});

const tools: SuiteTools = {
  describe,
  it,
  same: (actual, expected) => {
    expect(actual).toEqual(expected);
  },
};

ledgerContract('memory pool over PostgreSQL', () => makeStoreHarness(database, 5), tools, {
  games: 12,
  parallel: 500,
  timeoutMs: 60_000,
});
ledgerContract('memory pool over PGlite', () => makeStoreHarness(lite.connectionString, 1), tools, {
  games: 4,
  parallel: 500,
  timeoutMs: 60_000,
});

const overRedis = () => makeRedisWorld(redis);

ledgerContract('Redis pool over PostgreSQL', () => makeStoreHarness(database, 5, overRedis), tools, {
  games: 12,
  parallel: 500,
  timeoutMs: 60_000,
});
ledgerContract('Redis pool over PGlite', () => makeStoreHarness(lite.connectionString, 1, overRedis), tools, {
  games: 4,
  parallel: 500,
  timeoutMs: 60_000,
});

sharedPoolContract('Redis and PostgreSQL', overRedis, tools, 60_000, async () =>
  sourceOn(await openBareStore(await postgres.database(), 8)),
);
