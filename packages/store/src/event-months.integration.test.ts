import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LedgerEvent } from '@tollgate/ledger';
import { makeConnection } from './connection.ts';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

const JANUARY = Date.UTC(2026, 0, 31, 23, 59, 59);
const FEBRUARY = Date.UTC(2026, 1, 1);
const MARCH = Date.UTC(2026, 2, 15);

describe.each(DATABASES)('events by month on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
  });
  afterEach(() => store.close());

  const send = (now: number, ...events: readonly Partial<LedgerEvent>[]) =>
    store.ingest(
      { instance: 'a', events: events.map((event) => anEvent({ instance: 'a', ...event })) },
      { now, resolve: () => null },
    );
  const charge = (charged: bigint): LedgerEvent['counters'] => [
    { budget: 'n/b', limit: 'l', partition: '', windowId: 'w', epoch: '', held: 0n, charged },
  ];
  const tables = async () => {
    // The store's own connection is the only one that PGlite takes.
    await store.close();
    const connection = makeConnection({ connectionString: databases.last(), max: 1 });
    const rows = await connection.transact((tx) =>
      tx.query<{ name: string; rows: bigint }>(
        `SELECT c.relname AS name, (SELECT count(*) FROM event e WHERE e.tableoid = c.oid) AS rows
         FROM pg_class c WHERE c.relname ~ '^event_(common_)?[0-9]+$' AND c.relkind = 'r' ORDER BY 1`,
      ),
    );
    await connection.close();
    return rows.map(({ name, rows: count }) => (name.includes('common') ? name : `${name}: ${String(count)}`));
  };

  it('lie in the month in which they were stored, whatever a proxy’s clock says', async () => {
    await send(JANUARY, { seq: 1, startedAt: 0, endedAt: 0 });
    await send(FEBRUARY, { seq: 2, startedAt: 0, endedAt: 8.64e15 - 1 });
    expect(await tables()).toEqual([
      'event_202601: 1',
      'event_202602: 1',
      'event_common_202601',
      'event_common_202602',
    ]);
  });

  it('are counted once, though they come again in another month', async () => {
    const late = { seq: 3, charged: 7n, counters: charge(7n) };
    await send(JANUARY, { seq: 1, charged: 5n, counters: charge(5n) }, late);
    expect(await send(FEBRUARY, { seq: 1, charged: 5n, counters: charge(5n) }, late)).toMatchObject({
      inserted: 0,
      ack: 1,
    });
    expect(await send(MARCH, late, { seq: 2, charged: 1n, counters: charge(1n) })).toMatchObject({
      inserted: 1,
      ack: 3,
    });
    await expect(send(MARCH, { ...late, charged: 8n })).rejects.toMatchObject({ code: 'event_conflict' });
    expect(await store.tallies()).toMatchObject([{ settled: 13n, charged: 13n }]);
  });

  it('are dropped month by month, and no sum changes, and what was dropped is still known when it comes again', async () => {
    await send(JANUARY, { seq: 1, charged: 5n, requestId: 'old', counters: charge(5n) });
    await send(FEBRUARY, { seq: 3, charged: 7n, requestId: 'mid', counters: charge(7n) });
    await send(MARCH, { seq: 2, charged: 9n, requestId: 'new', counters: charge(9n) });
    const usage = await store.usageBy('day', { from: null, to: null });

    expect(await store.removeMonths({ before: FEBRUARY, then: 'drop' })).toEqual(['2026-01']);
    expect(await store.removeMonths({ before: FEBRUARY, then: 'drop' })).toEqual([]);
    expect(await store.removeMonths({ before: MARCH, then: 'detach' })).toEqual(['2026-02']);

    expect(await store.usageBy('day', { from: null, to: null })).toEqual(usage);
    expect(await store.tallies()).toMatchObject([{ settled: 21n, charged: 9n }]);
    expect(await store.explain('old')).toEqual([]);
    expect(await store.explain('new')).toHaveLength(1);
    const again = await send(
      MARCH,
      { seq: 1, charged: 5n, requestId: 'old', counters: charge(5n) },
      { seq: 3, charged: 7n, requestId: 'mid', counters: charge(7n) },
    );
    expect(again).toMatchObject({ inserted: 0, ack: 3, charges: [] });
    expect(await store.usageBy('day', { from: null, to: null })).toEqual(usage);
    // Detached, not dropped: an archive may still take it.
    expect(await tables()).toEqual([
      'event_202602: 0',
      'event_202603: 1',
      'event_common_202602',
      'event_common_202603',
    ]);
  });

  it('have their partitions made ahead, in the last days of a month', async () => {
    await store.tend(MARCH);
    await store.tend(Date.UTC(2026, 2, 28));
    await store.tend(Date.UTC(2026, 2, 28));
    expect(await tables()).toEqual([
      'event_202603: 0',
      'event_202604: 0',
      'event_common_202603',
      'event_common_202604',
    ]);
  });

  it('take what a caller claims as it is, and keep what no text can hold from stopping the spool', async () => {
    const user = 'a"b\\c{},NULL \u0000 \ud800 ü 🙂';
    const counters = charge(3n).map((one) => ({ ...one, partition: user }));
    await send(
      MARCH,
      { seq: 1, requestId: 'odd', user, promptId: 'p\u0000', usage: {}, counters },
      { seq: 2, user: 'NULL' },
    );
    const [attempt] = await store.explain('odd');
    expect(attempt).toMatchObject({ user: 'a"b\\c{},NULL \ufffd \ufffd ü 🙂', promptId: 'p\ufffd', usage: {} });
    expect(attempt?.counters).toMatchObject([{ partition: 'a"b\\c{},NULL \ufffd \ufffd ü 🙂', charged: 3n }]);
    expect(await store.explain('req-2')).toMatchObject([{ user: 'NULL' }]);
    expect(await store.usageBy('prompt', { from: null, to: null })).toMatchObject([{ key: '' }, { key: 'p\ufffd' }]);
    expect(
      await send(MARCH, { seq: 1, requestId: 'odd', user, promptId: 'p\u0000', usage: {}, counters }),
    ).toMatchObject({
      inserted: 0,
    });
  });
});
