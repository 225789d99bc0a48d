import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ledgerContract } from '@tollgate/ledger/contract';
import { startPostgres, type TestPostgres } from '@tollgate/store/testing';
import { makeHttpHarness } from './testing/http-harness.ts';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);

afterAll(async () => {
  await postgres.stop();
});

ledgerContract(
  'HTTP client, server and PostgreSQL',
  async () => makeHttpHarness(await postgres.database(), 5),
  {
    describe,
    it,
    same: (actual, expected) => {
      expect(actual).toEqual(expected);
    },
  },
  { games: 5, parallel: 500, timeoutMs: 60_000 },
);
