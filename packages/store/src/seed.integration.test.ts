import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { LedgerEvent } from '@tollgate/ledger';
import { START } from '@tollgate/ledger/contract';
import type { CounterTerms } from '@tollgate/ledger/pool';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

const HOUR = 3_600_000;
const MONTH: CounterTerms = {
  budget: 'default/pool',
  limit: 'monthly',
  partition: '',
  unit: 'cost',
  max: 1_000n,
  window: { id: 'month', start: START - 240 * HOUR, end: START + 240 * HOUR },
  sliding: null,
};
const DAY: CounterTerms = { ...MONTH, limit: 'daily', window: { id: 'day', start: START, end: START + 24 * HOUR } };

describe.each(DATABASES)('where a counter starts on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  let epoch: string;
  let now: number;
  let pooled: bigint;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
    now = START;
    pooled = 0n;
    epoch = await blocks().openEpoch();
  });
  afterEach(() => store.close());

  const seed = {
    amountOf: ({ partition }: CounterTerms, event: { charged: bigint; user: string | null }) =>
      partition === '' || event.user === partition ? event.charged : 0n,
    pooled: async () => [
      { budget: 'default/pool', limit: 'daily', partition: '', windowId: 'day', pooled, leased: 0n },
    ],
  };
  const blocks = () => store.blocks({ clock: () => now, seed });
  const take = (terms: CounterTerms, need = 1n) => blocks().allocate({ epoch, terms, need, short: need });
  const spend = (seq: number, charged: bigint, part: Partial<LedgerEvent> = {}) =>
    store.ingest(
      { instance: 'a', events: [anEvent({ instance: 'a', seq, charged, ...part })] },
      { now, resolve: () => null, seed },
    );
  const define = (...limits: readonly [limit: string, fingerprint: string, scope?: string][]) =>
    store.defineLimits(
      limits.map(([limit, fingerprint, scope = '']) => ({ budget: 'default/pool', limit, fingerprint, scope })),
      now,
    );
  const counter = async (limit: string, windowId?: string) =>
    (await store.tallies()).find((row) => row.limit === limit && (windowId === undefined || row.windowId === windowId));

  it('starts a new limit from what the events of its window say', async () => {
    await spend(1, 300n, { user: 'u' });
    now += HOUR;
    await define(['monthly', 'Month']);
    await take(MONTH);
    await take({ ...MONTH, partition: 'u' });
    await take({ ...MONTH, partition: 'v' });
    expect((await store.tallies()).map(({ partition, settled, seeded }) => [partition, settled, seeded])).toEqual([
      ['', 300n, 300n],
      ['u', 300n, 300n],
      ['v', 0n, 0n],
    ]);
    expect(await take(MONTH, 701n)).toMatchObject({ kind: 'refused', reason: 'exhausted', spent: 300n });
  });

  it('tells what a counter would start from without booking it, and nothing more once it is booked', async () => {
    await spend(1, 300n);
    now += HOUR;
    await define(['monthly', 'Month']);
    expect(await store.limitsSince()).toEqual(new Map([['default/pool/monthly', now]]));
    expect([await store.seedOf(MONTH, seed), await store.seedOf(MONTH, seed)]).toEqual([300n, 300n]);
    expect(await store.tallies()).toEqual([]);
    await take(MONTH);
    expect(await store.seedOf(MONTH, seed)).toBe(0n);
    expect(await counter('monthly')).toMatchObject({ settled: 300n, seeded: 300n });
    // It goes and comes back: what was seeded before is in it.
    await define();
    await spend(2, 40n);
    now += 1;
    await define(['monthly', 'Month']);
    expect(await store.seedOf(MONTH, seed)).toBe(40n);
    await take(MONTH);
    expect(await counter('monthly')).toMatchObject({ settled: 340n });
  });

  it('starts a window that began under the present definition from nothing', async () => {
    now = MONTH.window.start;
    await define(['monthly', 'Month'], ['daily', 'Day']);
    await spend(1, 300n);
    now = START + HOUR;
    // Charged to the window before, recorded in this one.
    await spend(2, 50n);
    await take(DAY);
    expect(await counter('daily')).toMatchObject({ settled: 0n, seeded: 0n });
  });

  it('starts anew from the events when the period changes, and not when only the maximum does', async () => {
    now = MONTH.window.start;
    await define(['daily', 'Day']);
    now = START;
    await take(DAY);
    await spend(1, 120n);
    await define(['daily', 'Day']);
    expect(await counter('daily')).toMatchObject({ seeded: 0n });
    now += HOUR;
    await define(['daily', 'Month']);
    await take({ ...DAY, window: { id: 'month', start: MONTH.window.start, end: MONTH.window.end } });
    expect(await counter('daily', 'month')).toMatchObject({ settled: 120n });
  });

  it('refills nothing when a budget is deleted and applied again', async () => {
    await define(['daily', 'Day']);
    await take(DAY, 500n);
    await spend(1, 500n, {
      counters: [
        { budget: 'default/pool', limit: 'daily', partition: '', windowId: 'day', epoch, held: 500n, charged: 500n },
      ],
    });
    await define();
    expect(await store.budgetsSince()).toEqual(new Map());
    now += HOUR;
    await define(['daily', 'Day']);
    expect(await take(DAY, 501n)).toMatchObject({ kind: 'refused', reason: 'exhausted' });
    expect(await store.budgetsSince()).toEqual(new Map([['default/pool', START + HOUR]]));
  });

  /** A call that one limit was charged for. */
  const call = (seq: number, limit: string, charged: bigint, windowId = 'day') =>
    spend(seq, charged, {
      counters: [{ budget: 'default/pool', limit, partition: '', windowId, epoch, held: charged, charged }],
    });

  it('charges a limit that comes back for what was spent under another name, once, however often it comes and goes', async () => {
    const OTHER = { ...DAY, limit: 'other' };
    await define(['daily', 'Day']);
    now += 1;
    await define(['daily', 'Day'], ['monthly', 'Month']);
    await take(DAY, 100n);
    await call(1, 'daily', 100n);
    for (const round of [0, 1]) {
      now += HOUR / 4;
      await define(['other', 'Day']);
      await take(OTHER, 300n);
      await call(2 + round, 'other', 300n);
      now += HOUR / 4;
      await define(['daily', 'Day']);
      // Also where two ask at once.
      await Promise.all([take(DAY), take(DAY)]);
    }
    expect(await counter('daily')).toMatchObject({ settled: 700n, seeded: 600n });
    expect(await take(DAY, 301n)).toMatchObject({ kind: 'refused', reason: 'exhausted', spent: 700n });
    // The second time it missed nothing but its own call.
    now += HOUR / 4;
    await define(['other', 'Day']);
    await take(OTHER);
    expect(await counter('other')).toMatchObject({ settled: 700n });
  });

  it('charges a budget that is deleted and restored for the calls between, also where they stand on no lease', async () => {
    await define(['daily', 'Day']);
    await take(DAY, 100n);
    await call(1, 'daily', 100n);
    await define();
    now += HOUR;
    await spend(2, 600n);
    await define(['daily', 'Day']);
    const soft = { budget: 'default/pool', limit: 'daily', partition: '', windowId: '', epoch: '', held: 0n };
    await store.ingest(
      { instance: 'a', events: [anEvent({ instance: 'a', seq: 3, counters: [{ ...soft, charged: 50n }] })] },
      { now, resolve: () => DAY, seed },
    );
    expect(await counter('daily')).toMatchObject({ settled: 750n, seeded: 600n });
    expect(await take(DAY, 251n)).toMatchObject({ kind: 'refused', reason: 'exhausted' });
  });

  it('settles what was open when a limit came back by what the events say at its next return', async () => {
    const OTHER = { ...DAY, limit: 'other' };
    await define(['daily', 'Day']);
    await take(DAY, 100n);
    await call(1, 'daily', 100n);
    now += 1;
    await define(['other', 'Day']);
    await take(OTHER, 200n);
    const inHand = (await counter('other'))?.allocated ?? 0n;
    now += HOUR / 4;
    await define(['daily', 'Day']);
    await take(DAY);
    const open = (await counter('daily'))?.unresolved ?? 0n;
    expect(open).toBeGreaterThanOrEqual(200n);
    expect(open).toBeLessThanOrEqual(inHand);
    await call(2, 'other', 150n);
    now += HOUR / 4;
    await define(['other', 'Day']);
    now += HOUR / 4;
    await define(['daily', 'Day']);
    await take(DAY);
    const row = await counter('daily');
    expect(row).toMatchObject({ settled: 250n, seeded: open });
    expect(row?.unresolved).toBe(open - 150n);
  });

  it('counts a limit anew when it comes to count other calls, and not when it is told again, as by a server that restarts', async () => {
    await define(['daily', 'Day', 'gpt']);
    await take(DAY, 100n);
    await call(1, 'daily', 100n);
    await spend(2, 40n);
    now += HOUR;
    await define(['daily', 'Day', 'gpt']);
    await take(DAY);
    expect(await counter('daily')).toMatchObject({ settled: 100n, seeded: 0n });
    await define(['daily', 'Day', 'all']);
    await take(DAY);
    expect(await counter('daily')).toMatchObject({ settled: 140n, seeded: 40n });
  });

  it('comes back where the clock was set back meanwhile', async () => {
    now += 2 * HOUR;
    await define(['daily', 'Day']);
    await take(DAY);
    now -= HOUR;
    await define();
    await spend(1, 40n);
    await define(['daily', 'Day']);
    await take(DAY);
    expect(await counter('daily')).toMatchObject({ settled: 40n });
  });

  it('brings a sliding limit that comes back up to its span, in one bucket and once', async () => {
    const sliding = { buckets: 7, bucketMs: 600_000 };
    const bucket = (index: number): CounterTerms => {
      const from = START + HOUR + index * 600_000;
      return {
        ...DAY,
        limit: 'sliding',
        window: { id: `s${String(index)}`, start: from, end: from + 600_000 },
        sliding,
      };
    };
    const at = async (index: number) => (await counter('sliding', `s${String(index)}`))?.settled;
    now = START + HOUR + 5;
    await define(['sliding', 'Hour/Sliding']);
    await take(bucket(0), 10n);
    await call(1, 'sliding', 10n, 's0');
    await define();
    now += 600_000;
    await spend(2, 300n);
    now += 1;
    await define(['sliding', 'Hour/Sliding']);
    await take(bucket(1));
    await take(bucket(2));
    expect([await at(0), await at(1), await at(2)]).toEqual([10n, 300n, 0n]);
    // Away and back within one bucket that is there.
    await define();
    now += 1;
    await spend(3, 200n);
    now += 1;
    await define(['sliding', 'Hour/Sliding']);
    await take(bucket(1));
    await take(bucket(2));
    expect([await at(0), await at(1), await at(2)]).toEqual([10n, 500n, 0n]);
    expect(await take(bucket(2), 491n)).toMatchObject({ kind: 'refused', reason: 'exhausted' });
  });

  it('counts what is in proxies’ hands as open when a limit joins others of its budget', async () => {
    await define(['daily', 'Day']);
    now += 1;
    await take({ ...DAY, max: 10_000n }, 900n);
    now += HOUR;
    pooled = 250n;
    await define(['daily', 'Day'], ['monthly', 'Month']);
    await take(MONTH);
    expect(await counter('monthly')).toMatchObject({ settled: 0n, unresolved: 650n, seeded: 650n });
  });

  it('takes over the whole span of a sliding limit in its first bucket, and once', async () => {
    const sliding = { buckets: 7, bucketMs: 600_000 };
    const bucket = (index: number): CounterTerms => {
      const from = START + HOUR + index * 600_000;
      return {
        ...MONTH,
        limit: 'sliding',
        window: { id: `s${String(index)}`, start: from, end: from + 600_000 },
        sliding,
      };
    };
    now = START + 1;
    await spend(1, 300n);
    now = START + HOUR + 5;
    await define(['sliding', 'Hour/Sliding']);
    await take(bucket(0));
    now += 600_000;
    await take(bucket(1));
    expect([await counter('sliding', 's0'), await counter('sliding', 's1')]).toMatchObject([
      { settled: 300n },
      { settled: 0n },
    ]);
    now += 6 * 600_000;
    await take(bucket(7));
    expect(await counter('sliding', 's7')).toMatchObject({ seeded: 0n });
  });
});
