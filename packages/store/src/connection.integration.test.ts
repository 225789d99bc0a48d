import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeConnection } from './connection.ts';
import { migrate, type Migration } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { openStore } from './open-store.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';
import { startPglite } from './testing/pglite.ts';
import { startPostgres, type TestPostgres } from './testing/postgres.ts';

describe('connection', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres.stop());

  const connect = async (max = 2) => makeConnection({ connectionString: await postgres.database(), max });

  it('undoes a transaction that fails, and never lets its client be used again', async () => {
    const connection = await connect(1);
    await connection.transact((tx) => tx.query('CREATE TABLE t (n int)'));
    const pid = () =>
      connection.transact(async (tx) => (await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid);
    const before = await pid();
    await expect(
      connection.transact(async (tx) => {
        await tx.query('INSERT INTO t VALUES (1)');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await connection.transact((tx) => tx.query('SELECT n FROM t'))).toEqual([]);
    expect(await pid()).not.toBe(before);
    await connection.close();
  });

  it('refuses a transaction inside a transaction, which would wait for ever on PGlite', async () => {
    const connection = await connect();
    await expect(connection.transact(() => connection.transact(() => Promise.resolve(1)))).rejects.toThrow(
      'inside a transaction',
    );
    await connection.close();
  });

  it('runs a transaction again after a deadlock', async () => {
    const connection = await connect();
    await connection.transact((tx) => tx.query('CREATE TABLE t AS SELECT * FROM (VALUES (1, 0), (2, 0)) AS v (id, n)'));
    let tries = 0;
    let arrived = 0;
    const both = Promise.withResolvers<undefined>();
    const touch = (order: readonly number[]) =>
      connection.transact(async (tx) => {
        tries += 1;
        await tx.query('UPDATE t SET n = n + 1 WHERE id = $1', [order[0]]);
        arrived += 1;
        if (arrived === 2) both.resolve(undefined);
        await both.promise;
        await tx.query('UPDATE t SET n = n + 1 WHERE id = $1', [order[1]]);
      });
    await Promise.all([touch([1, 2]), touch([2, 1])]);
    expect(tries).toBe(3);
    expect(await connection.transact((tx) => tx.query('SELECT n FROM t ORDER BY id'))).toEqual([{ n: 2 }, { n: 2 }]);
    await connection.close();
  });

  it('outlives a database that crashes under it, idle and at work', async () => {
    const connectionString = await postgres.database();
    const idleErrors: Error[] = [];
    const connection = makeConnection({ connectionString, max: 3, onIdleError: (error) => idleErrors.push(error) });
    await connection.transact((tx) => tx.query('SELECT 1'));
    await postgres.crash();
    expect(await connection.transact((tx) => tx.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
    const crashed = connection.transact(async (tx) => {
      await postgres.crash();
      return tx.query('SELECT 1');
    });
    await expect(crashed).rejects.toMatchObject({ code: 'store_unavailable' });
    await connection.transact((tx) => tx.query('SELECT 1'));
    expect(idleErrors.length).toBeGreaterThan(0);
    await connection.close();
  });

  it('says so when nobody answers', async () => {
    await expect(openStore({ connectionString: 'postgres://tollgate@127.0.0.1:1/none' })).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  });
});

describe.each(DATABASES)('migrations on %s', (_name, start) => {
  let databases: EachDatabase;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());

  it('run once, and keep the organisation’s id', async () => {
    const store = await databases.open();
    expect(store.organisation).toMatch(/^[0-9a-f]{8}-/);
    await store.ping();
    await store.close();
  });
});

describe('migrations', () => {
  const other: Migration = {
    id: '9999-later',
    sql: 'CREATE TABLE later (n int)',
    down: 'DROP TABLE later',
    loses: 'nothing',
  };

  it('are refused where they differ from what ran, and where the database is ahead', async () => {
    const lite = await startPglite();
    const connection = makeConnection({ connectionString: lite.connectionString, max: 1 });
    const run = (list: readonly Migration[]) => connection.transact((tx) => migrate(tx, list));
    await run(MIGRATIONS);
    await run([...MIGRATIONS, other]);
    await run([...MIGRATIONS, other]);
    await expect(run(MIGRATIONS)).rejects.toThrow('use a newer one');
    await expect(run([...MIGRATIONS, { ...other, sql: 'SELECT 1' }])).rejects.toThrow('is not the one');
    await connection.close();
    await lite.stop();
  });

  it('are left to an operator where a server is told to check only', async () => {
    const lite = await startPglite();
    const open = (schema: 'up' | 'check') => openStore({ connectionString: lite.connectionString, max: 1, schema });
    await expect(open('check')).rejects.toMatchObject({ code: 'migration_mismatch' });
    await (await open('up')).close();
    await (await open('check')).close();
    await lite.stop();
  });

  it('of two servers that start at once run one after the other', async () => {
    const postgres = await startPostgres();
    const connectionString = await postgres.database();
    const stores = await Promise.all([1, 2, 3].map(() => openStore({ connectionString, max: 2 })));
    expect(new Set(stores.map(({ organisation }) => organisation)).size).toBe(1);
    for (const store of stores) await store.close();
    await postgres.stop();
  });
});
