import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { makeConnection } from './connection.ts';
import { openStore } from './open-store.ts';
import { startPostgres, type TestPostgres } from './testing/postgres.ts';
import type { Waiting } from './wait-for-database.ts';

/** What a real server does to us, row by row of the fault matrix (14, 16, 32). */
describe('a database in trouble', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres.stop());

  const admin = async (connectionString: string, ...statements: readonly string[]) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const connect = async (max = 1) => makeConnection({ connectionString: await postgres.database(), max });
  const raise = (state: string) => `DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '${state}'; END $$`;

  it.each([
    ['53100', 'disk-full'],
    ['53200', 'out-of-memory'],
    ['57P01', 'stopped'],
    ['25006', 'read-only'],
  ])(
    'that answers %s is unavailable as %s, and the next transaction gets a client of its own',
    async (state, reason) => {
      const connection = await connect();
      await expect(connection.transact((tx) => tx.query(raise(state)))).rejects.toMatchObject({
        code: 'store_unavailable',
        reason,
      });
      expect(await connection.transact((tx) => tx.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
      await connection.close();
    },
  );

  it('that was set read-only takes no writes, and says so', async () => {
    const connectionString = await postgres.database();
    await admin(
      connectionString,
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`,
    );
    await expect(openStore({ connectionString, max: 1 })).rejects.toMatchObject({ reason: 'read-only' });
  });

  it('that ends our session mid-way is unavailable, and is there again at the next transaction', async () => {
    const connection = await connect();
    const ended = connection.transact(async (tx) => {
      await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
      await tx.query('SELECT 1');
    });
    await expect(ended).rejects.toMatchObject({ code: 'store_unavailable' });
    await connection.transact((tx) => tx.query('SELECT 1'));
    await connection.close();
  });

  it('limits every transaction: statements, locks, and standing idle', async () => {
    const connection = await connect();
    const [limits] = await connection.transact((tx) =>
      tx.query(`SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
                       current_setting('idle_in_transaction_session_timeout') AS idle`),
    );
    expect(limits).toEqual({ statement: '15s', lock: '5s', idle: '10s' });
    await connection.close();
  });

  it('that holds a lock for too long is unavailable, and keeps nothing of ours open', async () => {
    const connection = await connect(2);
    await connection.transact((tx) => tx.query('CREATE TABLE t AS SELECT 1 AS n'));
    const locked = Promise.withResolvers<undefined>();
    const done = Promise.withResolvers<undefined>();
    const holder = connection.transact(async (tx) => {
      await tx.query('SELECT n FROM t FOR UPDATE');
      locked.resolve(undefined);
      await done.promise;
    });
    await locked.promise;
    const blocked = connection.transact(async (tx) => {
      await tx.query(`SET LOCAL lock_timeout = '50ms'`);
      await tx.query('UPDATE t SET n = 2');
    });
    await expect(blocked).rejects.toMatchObject({ reason: 'locked' });
    done.resolve(undefined);
    await holder;
    expect(
      await connection.transact((tx) =>
        tx.query(`SELECT count(*)::int AS open FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'`),
      ),
    ).toEqual([{ open: 0 }]);
    await connection.close();
  });

  it('runs a transaction again after a serialization failure, until it fits', async () => {
    const connection = await connect(2);
    await connection.transact((tx) => tx.query('CREATE TABLE t AS SELECT 0 AS n'));
    let tries = 0;
    const add = () =>
      connection.transact(async (tx) => {
        tries += 1;
        await tx.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
        const [row] = await tx.query<{ n: number }>('SELECT n FROM t');
        await tx.query('UPDATE t SET n = $1', [(row?.n ?? 0) + 1]);
      });
    await Promise.all(Array.from({ length: 8 }, add));
    expect(await connection.transact((tx) => tx.query('SELECT n FROM t'))).toEqual([{ n: 8 }]);
    expect(tries).toBeGreaterThanOrEqual(8);
    await connection.close();
  });

  it('that has no room for another connection is waited for; one that knows no such user or database is not', async () => {
    const connectionString = await postgres.database();
    const hba = `COPY (SELECT unnest(ARRAY['host all locked 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 trust']))`;
    await admin(
      connectionString,
      `CREATE ROLE guest LOGIN`,
      `CREATE ROLE locked LOGIN PASSWORD 'right'`,
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 0', current_database());
         EXECUTE format($q$${hba} TO %L$q$, current_setting('hba_file')); END $$`,
      'SELECT pg_reload_conf()',
    );
    const as = (user: string) => connectionString.replace('//tollgate@', `//${user}@`);
    const words: Waiting[] = [];
    const wait = { upToMs: 2_000, onWaiting: (waiting: Waiting) => words.push(waiting) };
    await expect(openStore({ connectionString: as('guest'), wait })).rejects.toMatchObject({
      reason: 'too-many-connections',
    });
    expect(words.length).toBeGreaterThan(0);
    words.length = 0;
    const refused = (url: string, todo: string) =>
      expect(openStore({ connectionString: url, wait })).rejects.toMatchObject({
        code: 'store_refused',
        todo: expect.stringContaining(todo),
      });
    await refused(as('locked:wrong'), 'password');
    await refused(as('locked'), 'password');
    await refused(as('nobody'), 'user');
    await refused(connectionString.replace(/\/\w+$/, '/none'), 'createdb');
    await refused('not a url', 'postgres://');
    expect(words).toEqual([]);
  });

  it('that starts after us is found', async () => {
    const words: Waiting[] = [];
    const connectionString = await postgres.database();
    const halted = await postgres.halt();
    const store = openStore({
      connectionString,
      max: 1,
      wait: {
        upToMs: 60_000,
        onWaiting: (waiting) => {
          words.push(waiting);
          if (words.length === 1) void halted.start();
        },
      },
    });
    await (await store).close();
    expect(words[0]?.reason).toMatchObject({ code: 'store_unavailable' });
  });
});
