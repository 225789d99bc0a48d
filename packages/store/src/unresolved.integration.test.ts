import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { START } from '@tollgate/ledger/contract';
import type { CounterTerms } from '@tollgate/ledger/pool';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

const DAY = 86_400_000;
const TERMS: CounterTerms = {
  budget: 'default/pool',
  limit: 'daily',
  partition: '',
  unit: 'cost',
  max: 100_000n,
  window: { id: 'day', start: START, end: START + DAY },
  sliding: null,
};

describe.each(DATABASES)('what a lost instance took, on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  let epoch: string;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
    epoch = await store.blocks({ clock: () => START }).openEpoch();
  });
  afterEach(() => store.close());

  const take = (need: bigint) =>
    store.blocks({ clock: () => START }).allocate({ epoch, terms: TERMS, need, short: need });
  const tally = async () => {
    const [row] = await store.tallies();
    if (!row) throw new Error('no counter');
    const { allocated, refunded, settled, unresolved, byEpoch } = row;
    expect(byEpoch).toEqual({ allocated, refunded, settled, unresolved });
    expect(allocated).toBe(refunded + settled + unresolved);
    return { allocated, refunded, settled, unresolved };
  };
  const lose = async () => {
    await store.register({ instance: 'a', version: '1', subject: anEvent({}).subject }, epoch, START);
    await take(100_000n);
    expect(await store.abandonInstance({ instance: 'a', by: 'ada', reason: 'node burned' }, START + 1)).toEqual([
      epoch,
    ]);
    await store.sealEpoch(epoch, START + 2);
  };
  const spool = (seq: number, charged: bigint) =>
    store.ingest(
      {
        instance: 'a',
        events: [
          anEvent({
            instance: 'a',
            seq,
            counters: [
              { budget: 'default/pool', limit: 'daily', partition: '', windowId: 'day', epoch, held: charged, charged },
            ],
          }),
        ],
      },
      { now: START + 3, resolve: () => TERMS },
    );

  it('is charged and listed with who said so, until someone releases it', async () => {
    await lose();
    const [row, ...others] = await store.listUnresolved();
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      budget: 'default/pool',
      limit: 'daily',
      windowId: 'day',
      unit: 'cost',
      amount: 100_000n,
      cause: 'lost',
      since: START + 2,
      lost: [{ instance: 'a', at: START + 1, by: 'ada', reason: 'node burned' }],
    });
    epoch = await store.blocks({ clock: () => START }).openEpoch();
    expect(await take(1n)).toMatchObject({ kind: 'refused', reason: 'exhausted' });

    const release = { id: row?.id ?? '', by: 'grace', reason: 'the provider billed nothing' };
    expect(await store.releaseUnresolved(release, START + 4)).toBe(100_000n);
    expect(await store.releaseUnresolved(release, START + 5)).toBeNull();
    expect(await store.listUnresolved()).toEqual([]);
    expect(await tally()).toEqual({ allocated: 100_000n, refunded: 100_000n, settled: 0n, unresolved: 0n });
    expect(await take(100_000n)).toMatchObject({ kind: 'blocks' });
  });

  it('is taken from first when the spool turns up after all; what was released by then is owned up to', async () => {
    await lose();
    await spool(1, 30_000n);
    expect(await store.listUnresolved()).toMatchObject([{ amount: 70_000n }]);
    const [row] = await store.listUnresolved();
    await store.releaseUnresolved({ id: row?.id ?? '', by: 'grace', reason: 'enough' }, START + 4);
    await spool(2, 10_000n);
    expect(await tally()).toEqual({ allocated: 110_000n, refunded: 70_000n, settled: 40_000n, unresolved: 0n });
  });

  it('is released by the budget’s policy once it is old enough, and not sooner', async () => {
    await lose();
    const overdue = (budget: string, before: number) => store.releaseOverdue({ budgets: [budget], before }, START + 9);
    expect(await overdue('default/pool', START + 1)).toEqual([]);
    expect(await overdue('default/other', START + 9)).toEqual([]);
    expect(await store.releaseOverdue({ budgets: [], before: START + 9 }, START + 9)).toEqual([]);
    expect(await overdue('default/pool', START + 2)).toMatchObject([{ amount: 100_000n, limit: 'daily' }]);
    expect(await tally()).toMatchObject({ refunded: 100_000n, unresolved: 0n });
  });

  it('is released once where two release at the same time', async () => {
    await lose();
    const [row] = await store.listUnresolved();
    const release = { id: row?.id ?? '', by: 'grace', reason: 'both' };
    const both = await Promise.all([1, 2].map(() => store.releaseUnresolved(release, START + 4)));
    expect(both.filter((amount) => amount !== null)).toEqual([100_000n]);
    expect(await tally()).toMatchObject({ refunded: 100_000n });
  });

  it.each([
    '',
    'x',
    '1',
    '1.',
    '999.none',
    `1.${'e'.repeat(100)}`,
    '99999999999999999999.e',
    "1.'; DROP TABLE counter",
  ])('knows no %j', async (id) => {
    await lose();
    expect(await store.releaseUnresolved({ id, by: 'x', reason: 'x' }, START)).toBeNull();
  });

  it('is nothing where the instance never said hello', async () => {
    expect(await store.abandonInstance({ instance: 'nobody', by: 'ada', reason: 'typo' }, START)).toBeNull();
  });
});
