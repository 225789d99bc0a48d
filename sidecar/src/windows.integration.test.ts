/** Every kind of window, partition and set of budgets, through a whole proxy: amounts, and which budget says no. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { SnapshotBudget, SnapshotLimit, Subject } from '@tollgate/api';
import { displayUsd } from '@tollgate/metering';
import { aChat, callJson, type CallAnswer } from './testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from './testing/harness.ts';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from './testing/objects.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('budgets of every kind', () => {
  let harness: Harness | null = null;
  afterEach(async () => {
    await harness?.stop();
    harness = null;
  });
  const start = async (budgets: readonly SnapshotBudget[], more: HarnessOptions = {}): Promise<Harness> => {
    harness = await startHarness({ snapshot: aSnapshot({ budgets }), prices: makeMockPrices(), ...more });
    return harness;
  };
  const chat = ({ url }: Harness, stated: Record<string, unknown> = {}): Promise<CallAnswer> =>
    callJson(`${url}/openai/v1/chat/completions`, aChat(stated));
  const aBudget = (limit: Partial<SnapshotLimit>, more: Partial<SnapshotBudget> = {}): SnapshotBudget =>
    aSnapshotBudget({ waitSeconds: 0, limits: [aLimit(limit)], ...more });

  /** What one such call holds and costs, in nano-USD. */
  const oneCall = async (): Promise<{ readonly held: bigint; readonly charged: bigint }> => {
    const probe = await startHarness({ snapshot: aSnapshot(), prices: makeMockPrices() });
    await chat(probe);
    const [event] = await probe.events(1);
    await probe.stop();
    return { held: event?.held ?? 0n, charged: event?.charged ?? 0n };
  };

  const expectNo = (answer: CallAnswer, budget: string, code = 'budget_exhausted'): void => {
    expect([answer.status, answer.error?.code, answer.headers.get('x-tollgate-budget')]).toEqual([
      code === 'budget_never_fits' ? 400 : 429,
      code,
      budget,
    ]);
    expect(answer.error?.message).toContain(`TokenBudget ${budget}`);
  };

  describe('a limit of three calls', () => {
    it.each<[string, Partial<SnapshotLimit>, string, string, number]>([
      ['a minute', { period: 'Minute' }, 'Etc/UTC', '2026-11-21T10:15:20Z', 40_000],
      ['an hour', { period: 'Hour' }, 'Etc/UTC', '2026-11-21T10:15:00Z', 45 * MINUTE],
      ['an hour of a zone of half hours', { period: 'Hour' }, 'Asia/Kolkata', '2026-11-21T10:15:00Z', 15 * MINUTE],
      ['a day', { period: 'Day' }, 'Etc/UTC', '2026-11-21T10:00:00Z', 14 * HOUR],
      ['a day of a zone', { period: 'Day' }, 'America/New_York', '2026-11-21T10:00:00Z', 19 * HOUR],
      ['the day of 23 hours', { period: 'Day' }, 'Europe/Berlin', '2026-03-29T00:00:00Z', 22 * HOUR],
      ['the day of 25 hours', { period: 'Day' }, 'Europe/Berlin', '2026-10-24T22:00:00Z', 25 * HOUR],
      ['a week', { period: 'Week' }, 'Etc/UTC', '2026-11-21T00:00:00Z', 2 * DAY],
      ['a month', { period: 'Month' }, 'Asia/Tokyo', '2026-11-29T15:00:00Z', DAY],
    ])('in %s is full after three, says when it resets, and is empty then', async (_, limit, timeZone, at, restMs) => {
      const on = await start([aBudget({ unit: 'requests', max: '3', ...limit }, { timeZone })], { ledgerTime: at });
      for (let count = 0; count < 3; count += 1) expect((await chat(on)).status).toBe(200);
      const no = await chat(on);
      expectNo(no, 'default/chat');
      const retryAfter = Number(no.headers.get('retry-after'));
      expect(Math.abs(retryAfter * 1000 - restMs)).toBeLessThan(20_000);
      on.advance(restMs - 25_000);
      expectNo(await chat(on), 'default/chat');
      on.advance(25_000);
      for (let count = 0; count < 3; count += 1) expect((await chat(on)).status).toBe(200);
      expectNo(await chat(on), 'default/chat');
      const events = await on.events(6);
      const windows = Map.groupBy(events, ({ counters }) => counters[0]?.windowId);
      expect([...windows.values()].map((each) => each.length)).toEqual([3, 3]);
      expect(on.controlPlane.source.tallies().map(({ settled }) => settled)).toEqual([3n, 3n]);
    });

    it('in a sliding day frees what was spent a day ago, and nothing sooner', async () => {
      const on = await start(
        [aBudget({ unit: 'requests', max: '3', period: 'Day', window: 'Sliding' }, { waitSeconds: 10 })],
        {
          ledgerTime: '2026-11-21T10:01:00Z',
        },
      );
      for (let count = 0; count < 2; count += 1) expect((await chat(on)).status).toBe(200);
      on.advance(20 * MINUTE);
      expect((await chat(on)).status).toBe(200);
      expectNo(await chat(on), 'default/chat');
      on.advance(DAY - 9 * MINUTE);
      expectNo(await chat(on), 'default/chat');
      // The first two are a day old, and so is the whole quarter of an hour that they fell into; the third is not.
      on.advance(5 * MINUTE);
      for (let count = 0; count < 2; count += 1) expect((await chat(on)).status).toBe(200);
      expectNo(await chat(on), 'default/chat');
    });
  });

  it('a prepaid amount never comes back', async () => {
    const { held, charged } = await oneCall();
    const max = held + charged;
    const on = await start([aBudget({ unit: 'cost', max: String(max), period: 'Total' })]);
    expect((await chat(on)).status).toBe(200);
    expect((await chat(on)).status).toBe(200);
    const no = await chat(on);
    expectNo(no, 'default/chat');
    expect(no.headers.get('retry-after')).toBeNull();
    expect(no.error?.message).toContain('it never resets');
    expect(no.error?.message).toContain(`$${displayUsd(max)}`);
    on.advance(400 * DAY);
    expectNo(await chat(on), 'default/chat');
    await on.events(2);
    expect(on.controlPlane.source.tallies()).toMatchObject([{ windowId: 'Total', settled: charged * 2n }]);
  });

  it('a limit of tokens counts those of its kind', async () => {
    const on = await start([
      aBudget({ unit: 'tokens', count: 'Output', max: '120', period: 'Day' }, { name: 'words' }),
    ]);
    expect((await chat(on, { max_tokens: 100 })).status).toBe(200);
    const [event] = await on.events(1);
    const spent = BigInt(on.mock.log[0]?.usage.output ?? 0);
    expect(event?.counters).toMatchObject([{ budget: 'default/words', held: 100n, charged: spent }]);
    const no = await chat(on, { max_tokens: 110 });
    expectNo(no, 'default/words');
    expect(no.error?.message).toContain(`${String(120n - spent)} tokens of 120 tokens is left`);
  });

  describe('several budgets at once', () => {
    it('all charge a call that all let through, and the one that is full is named', async () => {
      const { held, charged } = await oneCall();
      const on = await start([
        aBudget({ unit: 'cost', max: String(held * 100n), period: 'Month' }, { name: 'team' }),
        aBudget({ unit: 'requests', max: '2', period: 'Hour' }, { name: 'calls' }),
        aSnapshotBudget({
          name: 'app',
          waitSeconds: 0,
          limits: [
            aLimit({ name: 'tokens', unit: 'tokens', max: '1000000', period: 'Day' }),
            aLimit({ name: 'ever', unit: 'cost', max: String(held * 50n), period: 'Total' }),
          ],
        }),
      ]);
      expect([(await chat(on)).status, (await chat(on)).status]).toEqual([200, 200]);
      expectNo(await chat(on), 'default/calls');
      const [event] = await on.events(2);
      const usage = on.mock.log[0]?.usage;
      expect(event?.counters.map(({ budget, limit, charged: amount }) => [budget, limit, amount])).toEqual([
        ['default/team', 'daily', charged],
        ['default/calls', 'daily', 1n],
        ['default/app', 'tokens', BigInt((usage?.input ?? 0) + (usage?.output ?? 0))],
        ['default/app', 'ever', charged],
      ]);
      // What the others lent to the call that one refused is free again.
      const tallies = on.controlPlane.source.tallies();
      expect(tallies.map(({ limit, settled }) => [limit, settled])).toEqual(
        expect.arrayContaining([
          ['daily', charged * 2n],
          ['daily', 2n],
          ['ever', charged * 2n],
        ]),
      );
      expect(on.proxy.url).toBe(on.url);
    });

    it('name the one that a call can never fit, whatever the others have', async () => {
      const on = await start([
        aBudget({ unit: 'cost', max: '1000000000' }, { name: 'rich' }),
        aBudget({ unit: 'cost', max: '1000' }, { name: 'poor' }),
      ]);
      expectNo(await chat(on), 'default/poor', 'budget_never_fits');
      expect(on.mock.log).toHaveLength(0);
    });
  });

  describe('a limit partitioned by', () => {
    const SUBJECT: Subject = {
      namespace: 'shop',
      workload: 'cart',
      pod: 'cart-7d4b9',
      labels: {},
      team: 'shop',
    };

    it.each<[SnapshotLimit['partitionBy'], string]>([
      ['Namespace', 'shop'],
      ['Workload', 'shop/cart'],
      ['Pod', 'shop/cart-7d4b9'],
      ['User', 'ann'],
    ])('%s counts each by itself', async (partitionBy, partition) => {
      const budget = aBudget({ unit: 'requests', max: '2', partitionBy }, { name: 'each' });
      harness = await startHarness({
        snapshot: aSnapshot({ budgets: [budget], subject: SUBJECT }),
        prices: makeMockPrices(),
      });
      const on = harness;
      for (let count = 0; count < 2; count += 1) expect((await chat(on, { user: 'ann' })).status).toBe(200);
      expectNo(await chat(on, { user: 'ann' }), 'default/each');
      const events = await on.events(2);
      expect(new Set(events.map(({ counters }) => counters[0]?.partition))).toEqual(new Set([partition]));
      expect(on.controlPlane.source.tallies()).toMatchObject([{ partition, settled: 2n }]);
      if (partitionBy !== 'User') return;
      expect((await chat(on, { user: 'bob' })).status).toBe(200);
      expect((await chat(on)).status).toBe(200);
      const all = await on.events(4);
      expect(all.map(({ counters }) => counters[0]?.partition)).toEqual(['ann', 'ann', 'bob', expect.any(String)]);
    });
  });
});
