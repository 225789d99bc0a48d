import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { UNMETERED, type LedgerEvent } from '@tollgate/ledger';
import { START } from '@tollgate/ledger/contract';
import type { Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';

const MINUTE = 60_000;

describe.each(DATABASES)('what became of calls, on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  let seq: number;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
    seq = 0;
  });
  afterEach(() => store.close());

  const send = (parts: readonly Partial<LedgerEvent>[], now = START) =>
    store.ingest(
      { instance: 'i', events: parts.map((part) => anEvent({ instance: 'i', seq: (seq += 1), ...part })) },
      {
        now,
        resolve: ({ budget, limit, partition }) => ({
          budget,
          limit,
          partition,
          unit: 'requests',
          max: 100n,
          window: { id: 'day', start: START, end: START + 86_400_000 },
          sliding: null,
        }),
      },
    );
  const took = (ms: number, part: Partial<LedgerEvent> = {}): Partial<LedgerEvent> => ({
    route: 'shop/models',
    backend: 'openai',
    startedAt: START,
    endedAt: START + ms,
    ...part,
  });

  it('is told by route and backend: how many, how many failed, how long, and how the last one failed', async () => {
    await send([
      ...Array.from({ length: 20 }, (_, n) => took((n + 1) * 100)),
      took(5_000, { status: 503, settle: 'void' }),
      took(9_000, { status: null, settle: 'void' }),
      took(7_000, { status: 429, settle: 'void' }),
      took(50, { status: 400, settle: 'void' }),
      took(10, { backend: 'local', endedAt: START - 5_000 }),
      took(10, { route: 'bank/models' }),
      took(10, { route: null, backend: null }),
    ]);
    expect(await store.backendTraffic({ since: START - 5 * MINUTE })).toEqual([
      {
        route: 'bank/models',
        backend: 'openai',
        requests: 1,
        errors: 0,
        latencyP95Ms: 10,
        firstByteP95Ms: null,
        outputTokens: 20,
        charged: 0n,
        lastErrorStatus: null,
        lastErrorAt: null,
      },
      {
        route: 'shop/models',
        backend: 'local',
        requests: 1,
        errors: 0,
        latencyP95Ms: 0,
        firstByteP95Ms: null,
        outputTokens: 20,
        charged: 0n,
        lastErrorStatus: null,
        lastErrorAt: null,
      },
      {
        route: 'shop/models',
        backend: 'openai',
        requests: 24,
        errors: 3,
        latencyP95Ms: 1_900,
        firstByteP95Ms: null,
        outputTokens: 480,
        charged: 0n,
        lastErrorStatus: null,
        lastErrorAt: START + 9_000,
      },
    ]);
    expect(await store.backendTraffic({ since: START - 5 * MINUTE, namespace: 'bank' })).toHaveLength(1);
  });

  it('is told of streams by their first byte, and of all by what they made and cost', async () => {
    const first = (ms: number, part: Partial<LedgerEvent> = {}): Partial<LedgerEvent> =>
      took(10_000, { stream: true, firstByteAt: START + ms, charged: 7n, ...part });
    await send([
      ...Array.from({ length: 20 }, (_, n) => first((n + 1) * 10)),
      // Neither answers that come in one piece, nor errors, nor what said nothing of it, nor clocks that went back.
      first(9_000, { stream: false }),
      first(9_000, { status: 500, settle: 'void', charged: 0n, usage: {} }),
      took(9_000, { stream: true }),
      first(-5),
    ]);
    expect(await store.backendTraffic({ since: START - MINUTE })).toMatchObject([
      { requests: 24, firstByteP95Ms: 190, outputTokens: 23 * 20, charged: 22n * 7n },
    ]);
    expect((await store.explain('req-1', null))[0]?.firstByteAt).toBe(START + 10);
    expect((await store.explain('req-23', null))[0]).not.toHaveProperty('firstByteAt');
  });

  it('is of the time asked for, also across the turn of a month', async () => {
    const turn = Date.UTC(2026, 11, 1);
    await send([took(10)], turn - 2 * MINUTE);
    await send([took(20)], turn + MINUTE);
    await send([took(30)], turn - 10 * MINUTE);
    const since = turn + 2 * MINUTE - 5 * MINUTE;
    expect(await store.backendTraffic({ since })).toMatchObject([{ requests: 2, latencyP95Ms: 20 }]);
    expect(await store.backendTraffic({ since: turn + 2 * MINUTE })).toEqual([]);
  });

  it('counts calls on paths that are not metered, once they are sent, before and after sums are folded', async () => {
    const counters = [
      { budget: 'shop/pool', limit: 'calls', partition: '', windowId: '', epoch: '', held: 0n, charged: 1n },
    ];
    await send([
      { format: UNMETERED, settle: 'hold', unproven: true, counters },
      { format: UNMETERED, settle: 'hold', unproven: true, counters },
      { format: UNMETERED, settle: 'void', unproven: true, counters },
      { counters },
    ]);
    const figures = async () => store.counterUsage({ since: START, recentSince: START });
    expect(await figures()).toMatchObject([{ calls: 4n, unmetered: 2n, unproven: 3n }]);
    await store.tend(START);
    expect(await figures()).toMatchObject([{ calls: 4n, unmetered: 2n, unproven: 3n }]);
  });
});
