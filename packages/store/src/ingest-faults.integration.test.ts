import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LedgerEvent } from '@tollgate/ledger';
import { START } from '@tollgate/ledger/contract';
import { makeConnection } from './connection.ts';
import { openStore } from './open-store.ts';
import { StoreUnavailable } from './store-unavailable.ts';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { startPostgres, type TestPostgres } from './testing/postgres.ts';

const CHARGE: LedgerEvent['counters'][number] = {
  budget: 'n/b',
  limit: 'l',
  partition: '',
  windowId: 'w',
  epoch: '',
  held: 0n,
  charged: 1n,
};
const batch = (instance: string, n: number) => ({
  instance,
  events: Array.from({ length: 20 }, (_, index) =>
    anEvent({ instance, seq: n * 20 + index + 1, charged: 3n, counters: [CHARGE] }),
  ),
});
const CONTEXT = { now: START, resolve: () => null };

/** Rows 14 and 16 of the fault matrix: what a proxy's spool sends again after a fault counts once, and nothing is lost. */
describe('ingest on a database in trouble', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres.stop());

  /** As the shipper does: the same batch until it is stored. */
  const ship = async (store: Store, instance: string, batches: number): Promise<number> => {
    let refused = 0;
    for (let n = 0; n < batches; n += 1) {
      for (;;) {
        try {
          await store.ingest(batch(instance, n), CONTEXT);
          break;
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
          refused += 1;
        }
      }
    }
    return refused;
  };

  it('counts every batch once through crashes at any moment, and its sums are those of the rows', async () => {
    const store = await openStore({ connectionString: await postgres.database(), max: 4 });
    const shipping = ['a', 'b', 'c'].map((instance) => ship(store, instance, 60));
    for (let crash = 0; crash < 2; crash += 1) await postgres.crash();
    await Promise.all(shipping);
    expect(await store.tallies()).toMatchObject([{ settled: 3_600n, charged: 3_600n, byEpoch: { settled: 3_600n } }]);
    expect(await store.usageBy('team', { from: null, to: null })).toMatchObject([{ calls: 3_600n, charged: 10_800n }]);
    await store.tend(START);
    expect(await store.tallies()).toMatchObject([{ settled: 3_600n, charged: 3_600n, byEpoch: { settled: 3_600n } }]);
    await store.close();
  });

  it('says why it takes nothing while the disk is full, and takes it afterwards', async () => {
    const connectionString = await postgres.database();
    const store = await openStore({ connectionString, max: 2 });
    await ship(store, 'a', 1);
    const admin = makeConnection({ connectionString, max: 1 });
    await admin.transact((tx) =>
      tx.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON charge_delta EXECUTE FUNCTION full_disk();`),
    );
    await expect(store.ingest(batch('a', 1), CONTEXT)).rejects.toMatchObject({
      code: 'store_unavailable',
      reason: 'disk-full',
      message: 'the disk of the database is full (53100)',
    });
    await admin.transact((tx) => tx.query('DROP TRIGGER full_disk ON charge_delta'));
    await admin.close();
    expect(await store.ingest(batch('a', 1), CONTEXT)).toMatchObject({ inserted: 20, ack: 40 });
    await store.close();
  });

  it('finds its counters and partitions anew after the database was restored under it', async () => {
    const connectionString = await postgres.database();
    const store = await openStore({ connectionString, max: 2 });
    await ship(store, 'a', 1);
    const admin = makeConnection({ connectionString, max: 1 });
    await admin.transact((tx) =>
      tx.query(`TRUNCATE event, event_common, counter, counter_epoch, charge_delta, usage_delta, instance, instance_charge,
                         epoch_instance, block, unresolved_release RESTART IDENTITY`),
    );
    await admin.transact((tx) =>
      tx.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
      ),
    );
    await admin.close();
    await ship(store, 'a', 1);
    expect(await store.explain('req-1')).toMatchObject([{ counters: [{ budget: 'n/b', charged: 1n }] }]);
    expect(await store.tallies()).toMatchObject([{ settled: 20n, charged: 20n }]);
    await store.close();
  });
});
