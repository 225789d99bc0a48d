import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { START } from '@tollgate/ledger/contract';
import type { BlockSource, CounterTerms, PoolEpoch } from '@tollgate/ledger/pool';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';

/** What PostgreSQL and PGlite keep of the pool that servers share. */
const NAME = { budget: 'team/pool', limit: 'total', partition: '' };
const TERMS: CounterTerms = {
  ...NAME,
  unit: 'cost',
  max: 100n,
  window: { id: 'Total', start: 0, end: null },
  sliding: null,
};

describe.each(DATABASES)('epochs that servers share, on %s', (_name, start) => {
  let each: EachDatabase;
  let store: Store;
  let source: BlockSource;

  beforeAll(async () => {
    each = await start();
  }, 60_000);
  afterAll(async () => {
    await each.stop();
  });
  beforeEach(async () => {
    store = await each.open();
    source = store.blocks({ clock: () => START });
  });
  afterEach(async () => {
    await store.close();
  });

  const succeed = (previous: string | null, above = 0) => source.shared.succeed({ previous, library: '1.a', above });
  const out = async (): Promise<bigint> =>
    (await store.tallies()).reduce((sum, { allocated, refunded }) => sum + allocated - refunded, 0n);
  const take = (epoch: PoolEpoch, need: bigint) =>
    source.allocate({ epoch: epoch.id, terms: TERMS, need, short: need });

  it('are made by one of many who try at the same moment', async () => {
    expect(await source.shared.current()).toBeNull();
    const first = await Promise.all(Array.from({ length: 6 }, () => succeed(null)));
    expect(first.filter(({ made }) => made)).toHaveLength(1);
    expect(new Set(first.map(({ epoch }) => epoch.id)).size).toBe(1);
    const epoch = first[0]?.epoch;
    expect(await source.shared.current()).toEqual(epoch);
    const second = await Promise.all(Array.from({ length: 6 }, () => succeed(epoch?.id ?? null)));
    expect(second.filter(({ made }) => made)).toHaveLength(1);
    expect(new Set(second.map(({ epoch: next }) => next.number))).toEqual(new Set([2]));
  });

  it('rise above a number that the pool has seen, as after a failover that lost the last commits', async () => {
    const { epoch } = await succeed(null);
    expect((await succeed(epoch.id, 41)).epoch.number).toBe(42);
  });

  it('are sealed by their successor, and by no server that starts or stops', async () => {
    const { epoch } = await succeed(null);
    const own = await source.openEpoch();
    await store.sealEpoch(epoch.id, START);
    await store.sealOtherEpochs(own, START);
    expect(await take(epoch, 10n)).toMatchObject({ kind: 'blocks' });
    const next = await succeed(epoch.id);
    expect(await take(epoch, 10n)).toEqual({ kind: 'sealed' });
    // Nobody had joined it, so its rest is free at once.
    expect(await take(next.epoch, 100n)).toMatchObject({ kind: 'blocks', blocks: [{ amount: 100n }] });
  });

  it('know the blocks that nobody has said to be loaded, and give them out first', async () => {
    const { epoch } = await succeed(null);
    const first = await take(epoch, 60n);
    if (first.kind !== 'blocks') throw new Error('no block');
    expect(await source.unloaded(epoch.id)).toMatchObject([
      { ...NAME, id: first.blocks[0]?.id, amount: 60n, windowId: 'Total', windowEnd: null, max: 100n, free: 40n },
    ]);
    expect(await take(epoch, 50n)).toEqual({ kind: 'blocks', blocks: first.blocks, free: 40n });
    const more = await take(epoch, 90n);
    expect(more).toMatchObject({ kind: 'blocks', blocks: [first.blocks[0], { amount: 30n }], free: 10n });
    await source.loaded(epoch.id, more.kind === 'blocks' ? more.blocks.map(({ id }) => id) : []);
    expect(await source.unloaded(epoch.id)).toEqual([]);
    expect(await take(epoch, 20n)).toMatchObject({ kind: 'refused', reason: 'held' });
    expect(await out()).toBe(90n);
  });

  it('take a refund once, however many send it, and none after they have closed', async () => {
    const { epoch } = await succeed(null);
    await store.register({ instance: 'a', version: '0', subject: anEvent({}).subject }, epoch.id, START);
    await take(epoch, 100n);
    const refund = (id: string) => source.refund(epoch.id, id, [{ ...NAME, windowId: 'Total', amount: 30n }]);
    await Promise.all(Array.from({ length: 5 }, () => refund('r1')));
    expect(await out()).toBe(70n);
    await refund('r2');
    expect(await out()).toBe(40n);
    await succeed(epoch.id);
    await refund('r3');
    expect(await out()).toBe(10n);
    await store.closeInstance({ instance: 'a', epoch: epoch.id, lastSeq: 0 }, START);
    expect(await out()).toBe(0n);
    await Promise.all([refund('r1'), refund('r4')]);
    expect(await out()).toBe(0n);
  });

  it('tell which processes are there, and what they left to be swept', async () => {
    const one = { id: 'one', library: '1.a', dialects: [1] };
    const two = { id: 'two', library: '1.b', dialects: [1, 2] };
    expect(await source.shared.attend(one)).toEqual([one]);
    expect(await source.shared.attend(two)).toEqual([one, two]);
    await source.shared.depart('one');
    expect(await source.shared.attend(two)).toEqual([two]);
    const { epoch } = await succeed(null);
    expect(await source.shared.unswept()).toEqual([]);
    await succeed(epoch.id);
    expect(await source.shared.unswept()).toEqual([epoch.id]);
    await source.shared.swept([epoch.id]);
    expect(await source.shared.unswept()).toEqual([]);
  });
});
