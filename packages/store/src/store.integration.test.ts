import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openStore } from './store.ts';
import { startPglite, type TestPglite } from './testing/pglite.ts';
import { startPostgres, type TestPostgres } from './testing/postgres.ts';

describe('store', () => {
  let lite: TestPglite;
  let postgres: TestPostgres;
  beforeAll(async () => {
    [lite, postgres] = await Promise.all([startPglite(), startPostgres()]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([lite.stop(), postgres.stop()]);
  });

  it('opens', async () => {
    for (const [connectionString, max] of [
      [lite.connectionString, 1],
      [await postgres.database(), 5],
    ] as const) {
      const store = await openStore({ connectionString, max });
      expect(store.organisation).toMatch(/^[0-9a-f-]{36}$/);
      await store.close();
      const again = await openStore({ connectionString, max });
      expect(again.organisation).toBe(store.organisation);
      await again.close();
    }
  });
});
