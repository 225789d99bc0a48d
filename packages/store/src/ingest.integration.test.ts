import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CounterCharge, LedgerEvent } from '@tollgate/ledger';
import { START } from '@tollgate/ledger/contract';
import type { CounterTerms } from '@tollgate/ledger/pool';
import { MAX_GAPS } from './delivered.ts';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

const DAY = 86_400_000;
const terms = (limit: string, max = 1_000_000n): CounterTerms => ({
  budget: 'default/pool',
  limit,
  partition: '',
  unit: 'cost',
  max,
  window: { id: `day/${limit}`, start: START, end: START + DAY },
  sliding: null,
});
const context = { now: START, resolve: ({ limit }: { limit: string }) => (limit === 'gone' ? null : terms(limit)) };
const leased = (limit: string, epoch: string, charged: bigint, held = charged): CounterCharge => ({
  budget: 'default/pool',
  limit,
  partition: '',
  windowId: `day/${limit}`,
  epoch,
  held,
  charged,
});
const soft = (limit: string, charged: bigint, wouldRefuse?: boolean): CounterCharge => ({
  ...leased(limit, '', charged),
  windowId: '',
  ...(wouldRefuse === undefined ? {} : { wouldRefuse }),
});

describe.each(DATABASES)('ingest on %s', (_name, start) => {
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

  const block = async (limit: string, amount: bigint, max?: bigint) =>
    store.blocks({ clock: () => START }).allocate({ epoch, terms: terms(limit, max), need: amount, short: amount });
  const send = (instance: string, ...events: readonly Partial<LedgerEvent>[]) =>
    store.ingest({ instance, events: events.map((event) => anEvent({ instance, ...event })) }, context);
  const tally = async (limit: string) => {
    const { allocated, refunded, settled, unresolved } = (await store.tallies()).find((row) => row.limit === limit) ?? {
      allocated: -1n,
      refunded: -1n,
      settled: -1n,
      unresolved: -1n,
    };
    return { allocated, refunded, settled, unresolved };
  };
  const leave = (instance: string, lastSeq: number) => store.closeInstance({ instance, epoch, lastSeq }, START);
  const hello = (instance: string) =>
    store.register({ instance, version: '1', subject: anEvent({}).subject }, epoch, START);

  it('counts a batch once, however often and in whatever order it comes', async () => {
    await block('daily', 1_000n);
    const first = { seq: 1, charged: 10n, counters: [leased('daily', epoch, 10n)] };
    const second = { seq: 2, charged: 20n, counters: [leased('daily', epoch, 20n)] };
    expect((await send('a', second)).ack).toBe(0);
    expect(await send('a', second, first, first)).toMatchObject({ ack: 2, inserted: 1, charges: [{ charged: 10n }] });
    expect(await send('a', first, second)).toMatchObject({ ack: 2, inserted: 0, charges: [] });
    expect(await tally('daily')).toMatchObject({ settled: 30n });
    expect(await store.usageBy('team', { from: null, to: null })).toMatchObject([
      { key: 'default', charged: 30n, calls: 2n },
    ]);
  });

  it('refuses another body under a known id, and changes nothing', async () => {
    await send('a', { seq: 1, charged: 5n });
    await expect(send('a', { seq: 2, charged: 7n }, { seq: 1, charged: 6n })).rejects.toMatchObject({
      code: 'event_conflict',
    });
    await expect(send('a', { seq: 3, charged: 7n }, { seq: 3, charged: 8n })).rejects.toMatchObject({
      code: 'event_conflict',
    });
    expect(await store.usageBy('day', { from: null, to: null })).toMatchObject([{ key: '2026-11-21', charged: 5n }]);
    expect((await send('a', { seq: 2, charged: 7n })).ack).toBe(2);
  });

  it('acknowledges up to the first gap, and past it once the gap is closed', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => ({ seq: index + 2 }));
    expect((await send('a', ...many)).ack).toBe(0);
    expect((await send('a', { seq: 1 })).ack).toBe(1_201);
    expect((await send('b', { seq: 1 })).ack).toBe(1);
  });

  it('refuses an instance whose every second event is missing, without end', async () => {
    await send('a', { seq: 1 });
    await databases.run(
      `UPDATE instance SET ahead = (SELECT range_agg(int8range(2 * n + 1, 2 * n + 2)) FROM generate_series(1, ${String(MAX_GAPS)}) AS n)`,
    );
    await expect(send('a', { seq: 90_001 })).rejects.toMatchObject({ code: 'events_missing' });
    expect(await send('a', { seq: 2 })).toMatchObject({ ack: 3, inserted: 1 });
  });

  it('books what no lease stands behind as allocated and settled at once, beyond the limit too', async () => {
    await send('a', { seq: 1, counters: [soft('soft', 1_500_000n)] }, { seq: 2, counters: [soft('audit', 3n, true)] });
    expect(await tally('soft')).toEqual({ allocated: 1_500_000n, refunded: 0n, settled: 1_500_000n, unresolved: 0n });
    const usage = await store.counterUsage({ since: START, recentSince: 0 });
    expect(usage.find(({ limit }) => limit === 'audit')).toMatchObject({
      wouldRefuse: 1n,
      calls: 1n,
      windowId: 'day/audit',
    });
    // Made Hard under the same name, the limit knows what was spent.
    expect(await block('soft', 1n)).toMatchObject({ kind: 'refused', reason: 'exhausted' });
  });

  it('keeps a charge whose budget is gone', async () => {
    await send('a', { seq: 1, counters: [soft('gone', 3n), leased('gone', epoch, 4n)] });
    expect((await store.tallies()).map(({ windowId, settled }) => [windowId, settled])).toEqual([
      ['none', 3n],
      ['day/gone', 4n],
    ]);
  });

  it('lets a lease of nothing be charged before anything was allocated', async () => {
    await send('a', { seq: 1, counters: [leased('daily', epoch, 0n)] });
    expect(await block('daily', 1_000_000n)).toMatchObject({ kind: 'blocks', blocks: [{ amount: 1_000_000n }] });
  });

  it('books the truth where a hold was too small, and owns up to it when the epoch closes', async () => {
    await hello('a');
    await block('daily', 999_990n);
    await block('daily', 10n);
    await send('a', { seq: 1, counters: [leased('daily', epoch, 1_000_050n, 10n)] });
    await store.sealEpoch(epoch, START);
    await leave('a', 1);
    expect(await tally('daily')).toEqual({ allocated: 1_000_050n, refunded: 0n, settled: 1_000_050n, unresolved: 0n });
  });

  it('refunds nothing while anyone who may hold a lease has not closed, and all of the rest then', async () => {
    await hello('a');
    await hello('b');
    await block('daily', 100_000n);
    await send('a', { seq: 1, counters: [leased('daily', epoch, 40_000n)] });
    await store.sealEpoch(epoch, START);
    await expect(leave('a', 2)).rejects.toMatchObject({ code: 'events_missing' });
    await expect(leave('nobody', 0)).rejects.toMatchObject({ code: 'unknown_instance' });
    expect(await leave('a', 1)).toMatchObject([{ limit: 'daily', amount: 40_000n }]);
    expect(await tally('daily')).toMatchObject({ refunded: 0n });
    await leave('b', 0);
    expect(await tally('daily')).toEqual({ allocated: 100_000n, refunded: 60_000n, settled: 40_000n, unresolved: 0n });
    // A pool that did not know it was succeeded gives back what the close has refunded already.
    await store
      .blocks({ clock: () => START })
      .refund(epoch, 'r1', [{ ...leased('daily', epoch, 0n), amount: 60_000n }]);
    expect(await tally('daily')).toMatchObject({ refunded: 60_000n });
  });

  it('books as unresolved what a lost instance had, and takes it from there when its spool turns up', async () => {
    await hello('a');
    await block('daily', 100_000n);
    await store.abandonInstance({ instance: 'a', by: 'test', reason: 'gone' }, START);
    await store.sealEpoch(epoch, START);
    expect(await tally('daily')).toEqual({ allocated: 100_000n, refunded: 0n, settled: 0n, unresolved: 100_000n });
    await send('a', { seq: 1, counters: [leased('daily', epoch, 30_000n)] });
    expect(await tally('daily')).toEqual({ allocated: 100_000n, refunded: 0n, settled: 30_000n, unresolved: 70_000n });
    await send('a', { seq: 2, counters: [leased('daily', epoch, 80_000n)] });
    expect(await tally('daily')).toEqual({ allocated: 110_000n, refunded: 0n, settled: 110_000n, unresolved: 0n });
  });

  it('takes batches of many instances at once without a deadlock, to the last unit', async () => {
    await block('one', 500_000n);
    await block('two', 500_000n);
    const both = (amount: bigint) => [leased('one', epoch, amount), leased('two', epoch, amount)];
    await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        send(
          `i${String(index)}`,
          ...[1, 2, 3, 4, 5].map((seq) => ({ seq, counters: index % 2 === 0 ? both(7n) : both(7n).reverse() })),
        ),
      ),
    );
    expect([await tally('one'), await tally('two')]).toMatchObject([{ settled: 840n }, { settled: 840n }]);
  });

  it('explains each attempt of a call with its counters, its price and how it was settled', async () => {
    await block('daily', 1_000n);
    const events = [1, 2].map((attempt) =>
      anEvent({
        instance: 'a',
        seq: attempt,
        requestId: 'req-x',
        attempt,
        subject: {
          namespace: 'team',
          workload: 'chat',
          workloadKind: 'Deployment',
          serviceAccount: 'sa',
          pod: 'chat-1',
          labels: { app: 'chat' },
          team: 'red',
        },
        user: 'someone',
        promptId: 'p',
        promptVersion: '3',
        route: 'team/route',
        backend: 'first',
        settle: attempt === 1 ? 'void' : 'usage',
        held: 90n,
        charged: attempt === 1 ? 0n : 60n,
        status: attempt === 1 ? null : 200,
        counters: [leased('daily', epoch, attempt === 1 ? 0n : 60n, 90n), soft('soft', 1n, true)],
      }),
    );
    await store.ingest({ instance: 'a', events }, context);
    const attempts = await store.explain('req-x');
    expect(attempts.map(({ counters, recordedAt, ...event }) => event)).toEqual(
      events.map(({ counters, ...event }) => event),
    );
    expect(attempts[1]?.counters).toMatchObject([
      {
        limit: 'daily',
        held: 90n,
        charged: 60n,
        unit: 'cost',
        max: 1_000_000n,
        windowStart: START,
        windowEnd: START + DAY,
      },
      { limit: 'soft', charged: 1n, wouldRefuse: true, epoch: '' },
    ]);
    expect(attempts[0]?.recordedAt).toBe(START);
    expect(await store.explain('req-y')).toEqual([]);
  });

  it('reports spend by team, model, workload and day', async () => {
    const red = { namespace: 'n', workload: 'w1', labels: {}, team: 'red' };
    const blue = { namespace: 'n', workload: 'w2', labels: {}, team: 'blue' };
    await store.ingest(
      {
        instance: 'a',
        events: [
          anEvent({ instance: 'a', seq: 1, subject: red, charged: 5n }),
          anEvent({
            instance: 'a',
            seq: 2,
            subject: blue,
            charged: 9n,
            modelSent: 'o3',
            unproven: true,
            settle: 'estimated',
          }),
        ],
      },
      context,
    );
    await store.ingest(
      { instance: 'a', events: [anEvent({ instance: 'a', seq: 3, subject: red, charged: 1n })] },
      { ...context, now: START + DAY },
    );
    const all = { from: null, to: null };
    const keys = async (
      by: 'team' | 'model' | 'workload' | 'day',
      range: { from: string | null; to: string | null } = all,
    ) => (await store.usageBy(by, range)).map(({ key, charged }) => [key, charged]);
    expect(await keys('team')).toEqual([
      ['blue', 9n],
      ['red', 6n],
    ]);
    expect(await keys('model')).toEqual([
      ['openai/o3', 9n],
      ['openai/gpt-4o-mini', 6n],
    ]);
    expect(await keys('workload')).toEqual([
      ['n/w2', 9n],
      ['n/w1', 6n],
    ]);
    expect(await keys('day')).toEqual([
      ['2026-11-21', 14n],
      ['2026-11-22', 1n],
    ]);
    expect(await keys('team', { from: '2026-11-22', to: '2026-11-22' })).toEqual([['red', 1n]]);
    expect(await store.usageBy('team', { from: null, to: '2026-11-21' })).toMatchObject([
      { unproven: 1n, estimated: 1n, inputTokens: 100n, outputTokens: 20n },
      {},
    ]);
  });

  it('tells a counter’s pace and its dearest model', async () => {
    await send(
      'a',
      { seq: 1, modelSent: 'cheap', counters: [soft('daily', 10n)] },
      { seq: 2, modelSent: 'dear', counters: [soft('daily', 70n)] },
    );
    await store.ingest(
      {
        instance: 'a',
        events: [anEvent({ instance: 'a', seq: 3, modelSent: 'cheap', counters: [soft('daily', 20n)] })],
      },
      { ...context, now: START + 7_200_000 },
    );
    const [usage] = await store.counterUsage({ since: START, recentSince: START + 3_600_000 });
    expect(usage).toMatchObject({
      settled: 100n,
      recent: 20n,
      recentFrom: START + 7_200_000,
      topModel: 'dear',
      calls: 3n,
      inputTokens: 300n,
    });
    expect(await store.counterUsage({ since: START + DAY, recentSince: 0 })).toEqual([]);
  });

  it('keeps roll-ups equal to rows over any deliveries', async () => {
    const delivery = fc.record({
      instance: fc.constantFrom('x', 'y'),
      from: fc.integer({ min: 1, max: 12 }),
      length: fc.integer({ min: 1, max: 8 }),
    });
    await block('daily', 500_000n);
    await fc.assert(
      fc.asyncProperty(fc.array(delivery, { maxLength: 6 }), async (deliveries) => {
        for (const { instance, from, length } of deliveries) {
          await send(
            instance,
            ...Array.from({ length }, (_, index) => ({
              seq: from + index,
              charged: BigInt(from + index),
              counters: [leased('daily', epoch, BigInt(from + index)), soft('soft', 1n)],
            })),
          );
        }
        for (const row of await store.tallies()) {
          expect(row.settled).toBe(row.charged);
          expect(row.byEpoch).toMatchObject({ allocated: row.allocated, settled: row.settled });
        }
      }),
      { numRuns: 8 },
    );
  });
});
