import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openStore } from '@tollgate/store';
import { startPglite, type TestPglite } from '@tollgate/store/testing';
import { testIo } from '../testing/test-io.ts';

describe('tollgate migrate', () => {
  let lite: TestPglite;
  let io: ReturnType<typeof testIo>;
  beforeAll(async () => {
    lite = await startPglite();
  }, 60_000);
  afterAll(() => lite.stop());
  beforeEach(() => {
    io = testIo({ DATABASE_URL: lite.connectionString });
  });
  afterEach(() => lite.empty());

  it('brings an empty database up, once', async () => {
    expect(await io.tollgate('migrate', 'up')).toBe(0);
    expect(io.out()).toMatch(/^ran 0001-ledger\n(ran \S+\n)+$/);
    const again = testIo({ DATABASE_URL: lite.connectionString });
    expect(await again.tollgate('migrate', 'up')).toBe(0);
    expect(again.out()).toMatch(/^nothing to do: the database is at 0\S+\n$/);
  });

  it('lists what has run, and tells both versions', async () => {
    expect(await io.tollgate('migrate', 'status')).toBe(0);
    expect(io.out()).toMatch(/^MIGRATION +RAN\n0001-ledger +not yet\n/);
    expect(await io.tollgate('migrate', 'version')).toBe(0);
    expect(io.out()).toMatch(/database none\ntollgate 0\S+\n$/);
    await io.tollgate('migrate', 'up');
    expect(await io.tollgate('migrate', 'status')).toBe(0);
    expect(io.out()).toMatch(/0001-ledger +\d{4}-\d\d-\d\dT/);
  });

  it('steps back only when told that what is lost is lost, and forth again', async () => {
    expect(await io.tollgate('migrate', 'down', '--yes')).toBe(0);
    expect(io.out()).toBe('nothing to do: no migration has run\n');
    await io.tollgate('migrate', 'up');
    expect(await io.tollgate('migrate', 'down')).toBe(64);
    expect(io.err()).toMatch(/undoing \S+ loses .+\n {2}stop every server/);
    expect(await io.tollgate('migrate', 'down', '--yes')).toBe(0);
    expect(io.out()).toMatch(/undid \S+\n$/);
    const store = await openStore({ connectionString: lite.connectionString, max: 1 });
    await store.close();
    expect(await io.tollgate('migrate', 'up')).toBe(0);
    expect(io.out()).toMatch(/nothing to do/);
  });

  it('says what to do where there is no database, or none answers', async () => {
    const none = testIo();
    expect(await none.tollgate('migrate', 'status')).toBe(64);
    expect(none.err()).toContain('set DATABASE_URL');
    expect(await io.tollgate('migrate', 'up', '--database-url', 'not a url')).toBe(64);
    expect(io.err()).toContain('postgres://user:password@host:5432/database');
    expect(
      await io.tollgate('migrate', 'up', '--database-url', 'postgres://u:canary@127.0.0.1:1/x', '--wait', '1'),
    ).toBe(69);
    expect(io.err()).toMatch(/waiting: the database cannot be reached \(ECONNREFUSED\), next try in [\d.]+ s\n/);
    expect(io.err()).toContain('--wait 60');
    expect(io.err()).not.toContain('canary');
  });

  it('refuses a database that a newer version has migrated, and says so', async () => {
    await io.tollgate('migrate', 'up');
    await lite.run(`INSERT INTO migration (id, checksum) VALUES ('9999-later', 'x')`);
    expect(await io.tollgate('migrate', 'up')).toBe(1);
    expect(io.err()).toMatch(/9999-later, which this version does not know: use a newer one/);
  });
});
