import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LedgerEvent } from '@tollgate/ledger';
import { START } from '@tollgate/ledger/contract';
import type { CounterTerms } from '@tollgate/ledger/pool';
import { makeConnection } from './connection.ts';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';
import { startPostgres } from './testing/postgres.ts';
import { openStore } from './open-store.ts';

const DAY = 86_400_000;
const TERMS: CounterTerms = {
  budget: 'default/pool',
  limit: 'daily',
  partition: '',
  unit: 'cost',
  max: 1_000_000n,
  window: { id: 'day', start: START, end: START + DAY },
  sliding: null,
};
const CONTEXT = { now: START, resolve: () => TERMS };
const leased = (epoch: string, charged: bigint): LedgerEvent['counters'][number] => ({
  budget: 'default/pool',
  limit: 'daily',
  partition: '',
  windowId: 'day',
  epoch,
  held: charged,
  charged,
});

describe.each(DATABASES)('roll-ups on %s', (_name, start) => {
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

  const view = () =>
    Promise.all([
      store.tallies(),
      store.counterUsage({ since: START, recentSince: START }),
      ...(['team', 'model', 'workload', 'prompt', 'day'] as const).map((by) =>
        store.usageBy(by, { from: null, to: null }),
      ),
    ]);

  it('say the same before and after they are folded, however often', async () => {
    const step = fc.record({
      seq: fc.integer({ min: 1, max: 30 }),
      model: fc.constantFrom('m', 'n'),
      prompt: fc.constantFrom(null, 'p', 'q'),
      minutes: fc.integer({ min: 0, max: 3_000 }),
      fold: fc.boolean(),
    });
    let game = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        game += 1;
        const instance = `i${String(game)}`;
        const seen = new Set<number>();
        for (const { seq, model, prompt, minutes, fold } of steps) {
          const event = anEvent({
            instance,
            seq,
            modelSent: seen.has(seq) ? 'm' : model,
            promptId: prompt,
            charged: BigInt(seq),
            counters: [{ ...leased('', BigInt(seq)), windowId: '', wouldRefuse: true }],
          });
          if (!seen.has(seq))
            await store.ingest({ instance, events: [event] }, { ...CONTEXT, now: START + minutes * 60_000 });
          seen.add(seq);
          if (!fold) continue;
          const before = await view();
          await store.tend(START);
          expect(await view()).toEqual(before);
        }
        const [tally] = await store.tallies();
        expect(tally?.settled).toBe(tally?.charged);
      }),
      { numRuns: 6 },
    );
  });

  it('are folded before a block is decided, so a limit made Hard knows what was spent a moment ago', async () => {
    const epoch = await store.blocks({ clock: () => START }).openEpoch();
    const take = (need: bigint) =>
      store.blocks({ clock: () => START }).allocate({ epoch, terms: TERMS, need, short: need });
    await store.ingest(
      {
        instance: 'a',
        events: [anEvent({ instance: 'a', seq: 1, counters: [{ ...leased('', 999_999n), windowId: '' }] })],
      },
      CONTEXT,
    );
    expect(await take(2n)).toMatchObject({ kind: 'refused', reason: 'exhausted', spent: 999_999n });
    expect(await take(1n)).toMatchObject({ kind: 'blocks' });
  });

  it('sum usage by prompt and version', async () => {
    await store.ingest(
      {
        instance: 'a',
        events: [
          anEvent({ instance: 'a', seq: 1, charged: 5n, promptId: 'p', promptVersion: '1' }),
          anEvent({ instance: 'a', seq: 2, charged: 7n, promptId: 'p', promptVersion: '2' }),
          anEvent({ instance: 'a', seq: 3, charged: 9n, promptId: 'q' }),
          anEvent({ instance: 'a', seq: 4, charged: 1n }),
        ],
      },
      CONTEXT,
    );
    const rows = await store.usageBy('prompt', { from: null, to: null });
    expect(rows.map(({ key, charged }) => [key, charged])).toEqual([
      ['q', 9n],
      ['p@2', 7n],
      ['p@1', 5n],
      ['', 1n],
    ]);
  });
});

describe('a limit that many servers share', () => {
  it('keeps no batch waiting for another, nor for whoever holds the counter; sums stay those of the rows', async () => {
    const postgres = await startPostgres();
    const connectionString = await postgres.database();
    const stores = await Promise.all([1, 2, 3].map(() => openStore({ connectionString, max: 4 })));
    const [first] = stores;
    if (!first) throw new Error('no store');
    const epoch = await first.blocks({ clock: () => START }).openEpoch();
    await first.blocks({ clock: () => START }).allocate({ epoch, terms: TERMS, need: 900_000n, short: 900_000n });
    const send = (store: Store, instance: string, seq: number) =>
      store.ingest(
        { instance, events: [anEvent({ instance, seq, charged: 3n, counters: [leased(epoch, 3n)] })] },
        CONTEXT,
      );

    const holder = makeConnection({ connectionString, max: 1 });
    await holder.transact(async (tx) => {
      await tx.query('SELECT 1 FROM counter FOR UPDATE');
      for (const [n, store] of stores.entries()) await send(store, `held-${String(n)}`, 1);
    });
    await holder.close();

    await Promise.all([
      ...stores.flatMap((store, n) =>
        [0, 1, 2].map(async (k) => {
          for (let seq = 1; seq <= 15; seq += 1) await send(store, `i-${String(n)}-${String(k)}`, seq);
        }),
      ),
      (async () => {
        for (let n = 0; n < 10; n += 1) for (const store of stores) await store.tend(START);
      })(),
      (async () => {
        for (let n = 0; n < 10; n += 1) {
          for (const { charged, settled, byEpoch } of await first.tallies()) {
            expect([settled, byEpoch.settled]).toEqual([charged, charged]);
          }
        }
      })(),
    ]);
    expect(await first.tallies()).toMatchObject([{ settled: BigInt(3 * (3 + 135)), allocated: 900_000n }]);
    expect(await first.usageBy('team', { from: null, to: null })).toMatchObject([{ calls: 138n }]);
    for (const store of stores) await store.close();
    await postgres.stop();
  });
});
