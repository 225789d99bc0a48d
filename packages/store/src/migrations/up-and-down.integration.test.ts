import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { START } from '@tollgate/ledger/contract';
import type { CounterTerms } from '@tollgate/ledger/pool';
import { openStore } from '../open-store.ts';
import { openSchema } from '../schema.ts';
import type { Store } from '../store.ts';
import { anEvent } from '../testing/an-event.ts';
import { startPglite } from '../testing/pglite.ts';
import { startPostgres } from '../testing/postgres.ts';
import { MIGRATIONS } from './index.ts';

const DAY = 86_400_000;
const terms = (limit: string): CounterTerms => ({
  budget: 'default/pool',
  limit,
  partition: '',
  unit: 'cost',
  max: 1_000_000n,
  window: { id: `day/${limit}`, start: START, end: START + DAY },
  sliding: null,
});

const DATABASES = [
  [
    'PostgreSQL',
    async () => {
      const postgres = await startPostgres();
      return { connectionString: await postgres.database(), max: 4, stop: postgres.stop };
    },
  ],
  [
    'PGlite',
    async () => {
      const lite = await startPglite();
      return { connectionString: lite.connectionString, max: 1, stop: lite.stop };
    },
  ],
] as const;

describe.each(DATABASES)('every migration on %s', (_name, start) => {
  let database: { connectionString: string; max: number; stop: () => Promise<void> };
  beforeAll(async () => {
    database = await start();
  }, 60_000);
  afterAll(() => database.stop());

  const withStore = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
    const store = await openStore(database);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  const send = (store: Store, instance: string, epoch: string, seqs: readonly number[], at = START) =>
    store.ingest(
      {
        instance,
        events: seqs.map((seq) =>
          anEvent({
            instance,
            seq,
            charged: BigInt(seq),
            held: 100n,
            user: 'u"\\ü',
            promptId: 'p',
            promptVersion: '2',
            modelSent: seq % 2 === 0 ? 'even' : 'odd',
            counters: [
              {
                budget: 'default/pool',
                limit: 'daily',
                partition: '',
                windowId: 'day/daily',
                epoch,
                held: 100n,
                charged: BigInt(seq),
              },
              {
                budget: 'default/pool',
                limit: 'soft',
                partition: '',
                windowId: '',
                epoch: '',
                held: 0n,
                charged: 1n,
                wouldRefuse: true,
              },
            ],
          }),
        ),
      },
      { now: at, resolve: ({ limit }) => terms(limit) },
    );
  /** Everything that a reader sees of the rows below. */
  const view = (store: Store) =>
    Promise.all([
      store.tallies(),
      store.usageBy('team', { from: null, to: null }),
      store.usageBy('model', { from: null, to: null }),
      store.counterUsage({ since: START, recentSince: START }),
      ...[1, 2, 5, 40].map((seq) => store.explain(`req-${String(seq)}`)),
    ]);

  it('goes back and forth over rows, and loses only what it says', async () => {
    const [epoch, before] = await withStore(async (store) => {
      const blocks = store.blocks({ clock: () => START });
      const id = await blocks.openEpoch();
      await store.register({ instance: 'a', version: '1', subject: anEvent({}).subject }, id, START);
      await blocks.allocate({ epoch: id, terms: terms('daily'), need: 1_000n, short: 1_000n });
      await send(store, 'a', id, [1, 2, 3, 5, 6, 9]);
      await send(store, 'b', id, [40], START + 40 * DAY);
      return [id, await view(store)] as const;
    });

    const schema = await openSchema(database);
    for (let step = 1; step < MIGRATIONS.length; step += 1) await schema.down();
    expect((await schema.states()).filter(({ ranAt }) => ranAt !== null).map(({ id }) => id)).toEqual(['0001-ledger']);
    expect(await schema.up()).toEqual(MIGRATIONS.slice(1).map(({ id }) => id));
    await schema.close();

    await withStore(async (store) => {
      expect(await view(store)).toEqual(before);
      // What was stored is still known, also beyond the gap.
      expect(await send(store, 'a', epoch, [1, 2, 3, 4, 5, 6, 7, 8, 9])).toMatchObject({ ack: 9, inserted: 3 });
      await expect(
        store.ingest(
          { instance: 'a', events: [anEvent({ instance: 'a', seq: 5, charged: 1_000n })] },
          { now: START, resolve: () => null },
        ),
      ).rejects.toMatchObject({ code: 'event_conflict' });
    });
  });

  it('goes back to nothing, and up again to an empty ledger', async () => {
    const schema = await openSchema(database);
    const undone: (string | null)[] = [];
    for (let next = await schema.nextDown(); next !== null; next = await schema.nextDown()) {
      expect(next.loses).not.toBe('');
      undone.push(await schema.down());
    }
    expect(undone).toEqual(MIGRATIONS.map(({ id }) => id).reverse());
    expect(await schema.down()).toBeNull();
    await schema.up();
    await schema.close();
    await withStore(async (store) => {
      expect(await store.tallies()).toEqual([]);
    });
  });
});
