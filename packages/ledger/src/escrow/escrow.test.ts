import { describe, expect, it } from '@jest/globals';
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { ANY_EPOCH } from '../session.ts';
import { makeMemoryDisk } from '../spool/memory-disk.ts';
import { makeVirtualTime } from '../simulator/virtual-time.ts';
import { SpoolFault } from '../spool/spool-fault.ts';
import { aBench, aNeed, aRequest, charging, heldBy, KEY, LIMIT, type Bench } from './testing/a-hold.ts';
import type { HoldRequest, HoldResult, SmallerBound } from './hold.ts';

/** Opens a hold and lets time run until it is decided. */
const decide = async ({ escrow, time }: Bench, request: HoldRequest, withinMs = 10_000): Promise<HoldResult> => {
  const result = escrow.openHold(request);
  if (!(result instanceof Promise)) return result;
  let outcome: { result: HoldResult } | { fault: unknown } | null = null;
  result.then(
    (value) => (outcome = { result: value }),
    (fault: unknown) => (outcome = { fault }),
  );
  const read = (): typeof outcome => outcome;
  await time.settle();
  for (const until = time.clock() + withinMs; read() === null && time.clock() < until;) await time.advance(10);
  const decided = read();
  if (decided === null) throw new Error('not decided in time');
  if ('fault' in decided) throw decided.fault;
  return decided.result;
};

const drained = async ({ escrow, time }: Bench): Promise<void> => {
  let isDone = false;
  const work = escrow.drain().then(() => (isDone = true));
  for (let turn = 0; turn < 1_000 && !isDone; turn += 1) await time.advance(50);
  if (!isDone) throw new Error('not drained');
  await work;
};

describe('holds', () => {
  it('asks the ledger once and holds without a round trip while the lease lasts', async () => {
    const bench = aBench();
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(10n)]))), charging(4n));
    const again = bench.escrow.openHold(aRequest([aNeed(10n)]));
    expect(again).not.toBeInstanceOf(Promise);
    expect(bench.ledger.acquired).toHaveLength(1);
    // 0.05 % of the limit, since no hold is known yet.
    expect(bench.ledger.acquired[0]?.needs[0]).toMatchObject({ need: 10n, prefer: 50n });
  });

  it('asks anew once a limit was lowered: what is in hand was leased under the higher one', async () => {
    const bench = aBench({ [KEY]: 1_000n });
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(400n)]))), charging(390n));
    bench.ledger.pool.set(KEY, 0n);
    const lowered = bench.escrow.openHold(aRequest([aNeed(5n, { max: 100n })], { waitMs: 2_000 }));
    await bench.time.advance(2_000);
    expect(bench.ledger.acquired.length).toBeGreaterThan(1);
    expect(bench.ledger.returned.length).toBeGreaterThan(0);
    expect(heldBy(await lowered)).toBeDefined();
  });

  it('spends nothing of what a hold leaves over that was open when its limit was lowered', async () => {
    const bench = aBench({ [KEY]: 1_000n });
    const open = heldBy(await decide(bench, aRequest([aNeed(400n)])));
    bench.ledger.pool.set(KEY, 0n);
    const refused = bench.escrow.openHold(aRequest([aNeed(5n, { max: 100n })], { waitMs: 0 }));
    await bench.time.advance(1_000);
    expect(await refused).toMatchObject({ held: false });
    bench.ledger.pool.set(KEY, 0n);
    bench.escrow.settle(open, charging(10n));
    const after = bench.escrow.openHold(aRequest([aNeed(5n, { max: 100n })], { waitMs: 0 }));
    expect(after).toBeInstanceOf(Promise);
    await bench.time.advance(1_000);
    expect(bench.ledger.returned.flatMap(({ returns }) => returns).map(({ amount }) => amount)).toContain(390n);
  });

  it('goes on without asking where a limit was raised, and reckons with more', async () => {
    const bench = aBench({ [KEY]: 100n });
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(60n, { max: 100n })]))), charging(5n));
    const before = bench.escrow.left(aNeed(1n)) ?? 0n;
    expect(bench.escrow.openHold(aRequest([aNeed(10n, { max: 150n })]))).not.toBeInstanceOf(Promise);
    expect(bench.escrow.left(aNeed(1n))).toBe(before + 50n - 10n);
  });

  it('takes all counters or none', async () => {
    const calls = aNeed(1n, { limit: 'calls', unit: 'requests', max: 5n });
    const bench = aBench({ [KEY]: LIMIT, 'shop/monthly/calls': 0n });
    const result = await decide(bench, aRequest([aNeed(10n), calls], { waitMs: 0 }));
    expect(result).toMatchObject({ held: false, denied: { counter: { limit: 'calls' } } });
    await drained(bench);
    expect(bench.ledger.pool.get(KEY)).toBe(LIMIT);
  });

  it('returns what was not spent to the lease and reports what is left', async () => {
    const bench = aBench({ [KEY]: 100n });
    expect(bench.escrow.left(aNeed(1n))).toBeNull();
    const hold = heldBy(await decide(bench, aRequest([aNeed(60n)])));
    expect(bench.escrow.left(aNeed(1n))).toBe(40n);
    bench.escrow.settle(hold, charging(5n));
    expect(bench.escrow.left(aNeed(1n))).toBe(95n);
  });

  it('books a charge above its hold as a violation and a debt on the next lease', async () => {
    const bench = aBench();
    bench.ledger.generous = false;
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(10n)]))), charging(25n));
    expect(bench.escrow.stats().holdViolations).toBe(1);
    await decide(bench, aRequest([aNeed(10n)]));
    expect(bench.ledger.acquired[1]?.needs[0]?.need).toBe(25n);
  });

  it('settles once, however often it is told', async () => {
    const bench = aBench();
    const hold = heldBy(await decide(bench, aRequest([aNeed(10n)])));
    bench.escrow.settle(hold, charging(4n));
    bench.escrow.settle(hold, charging(9n));
    await bench.time.advance(200);
    expect(bench.ledger.events.map((event) => event.charged)).toEqual([4n]);
    expect(bench.escrow.stats()).toMatchObject({ doubleSettles: 1, openHolds: 0 });
  });

  it('charges nonsense at the hold, never at nothing', async () => {
    const bench = aBench();
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(10n)]))), charging(-1n));
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(10n)]))), charging(2n ** 60n));
    await bench.time.advance(200);
    expect(bench.ledger.events.map((event) => event.charged)).toEqual([10n, 2n ** 53n - 1n]);
  });

  it('refuses a hold below zero', () => {
    const bench = aBench();
    expect(() => bench.escrow.openHold(aRequest([aNeed(-1n)]))).toThrow(RangeError);
  });

  it('holds nothing for a free call, even with the money gone', async () => {
    const bench = aBench({ [KEY]: 0n });
    const result = bench.escrow.openHold(aRequest([aNeed(0n)]));
    expect(result).toMatchObject({ held: true });
    expect(bench.ledger.acquired).toHaveLength(0);
  });

  it('charges soft counters at settlement, without a lease', async () => {
    const bench = aBench();
    const result = bench.escrow.openHold(aRequest([], { soft: [aNeed(10n)] }));
    expect(result).not.toBeInstanceOf(Promise);
    bench.escrow.settle(heldBy(await result), charging(30n));
    await bench.time.advance(200);
    expect(bench.ledger.events[0]?.counters).toEqual([
      { budget: 'shop/monthly', limit: 'cost', partition: '', windowId: '', epoch: '', held: 10n, charged: 30n },
    ]);
    expect(bench.escrow.stats().holdViolations).toBe(0);
  });

  it('refuses to settle a hold it never gave', () => {
    const bench = aBench();
    const stranger = { seq: 1, head: aRequest([]).head, wouldRefuse: [], needs: [], isOverdrawn: false };
    expect(() => bench.escrow.settle(stranger, charging(1n))).toThrow(TypeError);
  });
});

describe('waiting', () => {
  it('makes one acquisition for many calls that wait for the same counters', async () => {
    const bench = aBench();
    const all = Array.from({ length: 20 }, () => bench.escrow.openHold(aRequest([aNeed(100n)])));
    await bench.time.advance(50);
    const results = await Promise.all(all);
    expect(results.every((result) => result.held)).toBe(true);
    // The first asks before the others are there.
    expect(bench.ledger.acquired.map(({ needs }) => needs[0]?.need)).toEqual([100n, 1_900n]);
  });

  it('asks for the first in line alone when the ledger has not enough for all', async () => {
    const bench = aBench({ [KEY]: 350n });
    const all = Array.from({ length: 5 }, () => bench.escrow.openHold(aRequest([aNeed(100n)], { waitMs: 300 })));
    await bench.time.advance(1_000);
    const results = await Promise.all(all);
    expect(results.map((result) => result.held)).toEqual([true, true, true, false, false]);
    expect(results[4]).toMatchObject({ denied: { reason: 'held', need: 100n, limit: 350n } });
  });

  it('uses the window, not the rest of it, that a late answer speaks of', async () => {
    const bench = aBench({ [KEY]: LIMIT, 'shop/new/cost': LIMIT });
    let open = (): void => undefined;
    bench.ledger.gate = new Promise((resolve) => (open = resolve));
    bench.ledger.remainingMs = 100;
    const waiting = bench.escrow.openHold(aRequest([aNeed(10n)]));
    await bench.time.advance(200);
    open();
    bench.ledger.gate = null;
    await bench.time.settle();
    // That window was over before its answer came: straight back with it, and asked again a moment later.
    bench.ledger.remainingMs = 60_000;
    bench.ledger.windowId = 'w2';
    await bench.time.advance(100);
    expect(await waiting).toMatchObject({ held: true });
    expect(bench.ledger.returned[0]?.returns).toMatchObject([{ windowId: 'w1', amount: 50n }]);
  });

  it("follows the ledger's clock when that goes back a day", async () => {
    const bench = aBench();
    bench.ledger.windowId = 'tomorrow';
    bench.ledger.windowStart = 86_400_000;
    bench.ledger.remainingMs = 60_000_000;
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(10n)]))), charging(10n));
    bench.ledger.windowId = 'today';
    bench.ledger.windowStart = 0;
    expect(await decide(bench, aRequest([aNeed(100n)]))).toMatchObject({ held: true });
    expect(bench.escrow.inHand()).toMatchObject([{ windowId: 'today' }]);
    await bench.time.advance(100);
    expect(bench.ledger.returned[0]?.returns).toMatchObject([{ windowId: 'tomorrow', amount: 40n }]);
  });

  it('says at once what can never fit and what is spent', async () => {
    const bench = aBench({ [KEY]: 100n });
    const before = bench.time.clock();
    expect(await decide(bench, aRequest([aNeed(101n)]))).toMatchObject({ denied: { reason: 'neverFits', need: 101n } });
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(100n)]))), charging(95n));
    await bench.time.advance(150);
    expect(await decide(bench, aRequest([aNeed(10n)]))).toMatchObject({ denied: { reason: 'exhausted', left: 5n } });
    expect(bench.time.clock() - before).toBeLessThan(400);
  });

  it('admits a waiting call the moment a hold of ours is settled', async () => {
    const bench = aBench({ [KEY]: 100n });
    const hold = heldBy(await decide(bench, aRequest([aNeed(100n)])));
    const waiting = bench.escrow.openHold(aRequest([aNeed(50n)]));
    await bench.time.advance(1_000);
    const before = bench.time.clock();
    bench.escrow.settle(hold, charging(10n));
    await bench.time.settle();
    expect(await waiting).toMatchObject({ held: true });
    expect(bench.time.clock()).toBe(before);
  });

  it('sees money that another proxy gave back', async () => {
    const bench = aBench({ [KEY]: 100n });
    bench.ledger.pool.set(KEY, 0n);
    const waiting = bench.escrow.openHold(aRequest([aNeed(50n)]));
    await bench.time.advance(1_000);
    bench.ledger.pool.set(KEY, 100n);
    await bench.time.advance(500);
    expect(await waiting).toMatchObject({ held: true });
    // Asked again and again, but not in a rush.
    expect(bench.ledger.acquired.length).toBeLessThan(12);
  });

  it('keeps to the order of arrival, whatever fits', async () => {
    const bench = aBench({ [KEY]: 100n });
    bench.ledger.pool.set(KEY, 60n);
    const hold = heldBy(await decide(bench, aRequest([aNeed(60n)])));
    const large = bench.escrow.openHold(aRequest([aNeed(90n)], { waitMs: 400 }));
    await bench.time.advance(100);
    const small = bench.escrow.openHold(aRequest([aNeed(5n)], { waitMs: 2_000 }));
    bench.escrow.settle(hold, charging(0n));
    await bench.time.advance(200);
    expect(bench.escrow.stats().openHolds).toBe(0);
    await bench.time.advance(400);
    expect(await large).toMatchObject({ held: false, denied: { reason: 'held' } });
    expect(await small).toMatchObject({ held: true });
  });

  it('lets calls for other counters pass', async () => {
    const other = aNeed(10n, { budget: 'shop/other' });
    const bench = aBench({ [KEY]: 0n, 'shop/other/cost': LIMIT });
    void bench.escrow.openHold(aRequest([aNeed(10n)]));
    expect(await decide(bench, aRequest([other]))).toMatchObject({ held: true });
  });

  it('asks for less once, before a no is final', async () => {
    const bench = aBench({ [KEY]: 100n });
    let asked = 0;
    const tighten = async (): Promise<SmallerBound> => {
      asked += 1;
      return { held: 80n, needs: [aNeed(80n)] };
    };
    expect(await decide(bench, aRequest([aNeed(500n)], { tighten }))).toMatchObject({
      held: true,
      hold: { needs: [{ amount: 80n }], head: { held: 80n } },
    });
    expect(await decide(bench, aRequest([aNeed(500n)], { tighten: async () => null }))).toMatchObject({ held: false });
    expect(
      await decide(bench, aRequest([aNeed(500n)], { tighten: () => Promise.reject(new Error('no tokenizer')) })),
    ).toMatchObject({
      held: false,
    });
    expect(asked).toBe(1);
  });

  it('lets a last no wait for the smaller bound that was asked for at the first', async () => {
    const bench = aBench({ [KEY]: 0n });
    let answer: (smaller: SmallerBound) => void = () => undefined;
    const result = Promise.resolve(
      bench.escrow.openHold(
        aRequest([aNeed(70n)], {
          waitMs: 5_000,
          tighten: () => new Promise<SmallerBound>((resolve) => (answer = resolve)),
        }),
      ),
    );
    await bench.time.advance(100);
    // Held by others so far; now it turns out that they have spent it, while the tokens are still being counted.
    bench.ledger.settled.set(KEY, LIMIT - 40n);
    await bench.time.advance(3_000);
    bench.ledger.pool.set(KEY, 40n);
    answer({ held: 30n, needs: [aNeed(30n)] });
    await bench.time.advance(1_000);
    expect(heldBy(await result).needs).toMatchObject([{ amount: 30n }]);
  });

  it('asks for less while others hold the money', async () => {
    const bench = aBench({ [KEY]: 100n });
    heldBy(await decide(bench, aRequest([aNeed(60n)])));
    const before = bench.time.clock();
    const smaller = await decide(
      bench,
      aRequest([aNeed(70n)], { tighten: async () => ({ held: 30n, needs: [aNeed(30n)] }) }),
    );
    expect(smaller).toMatchObject({ held: true });
    expect(bench.time.clock() - before).toBeLessThan(500);
  });

  it('tells a call that will not wait at once, and still lets a smaller one behind it ask', async () => {
    const bench = aBench({ [KEY]: 100n });
    heldBy(await decide(bench, aRequest([aNeed(60n)])));
    const results = [70n, 80n, 5n].map((amount) => bench.escrow.openHold(aRequest([aNeed(amount)], { waitMs: 0 })));
    await bench.time.advance(20);
    expect((await Promise.all(results)).map((result) => result.held)).toEqual([false, false, true]);
  });

  it('looks again though its timers run ahead of its clock', async () => {
    const virtual = makeVirtualTime(1_000);
    const bench = aBench({ [KEY]: 100n }, { time: { ...virtual, clock: () => virtual.clock() * 0.98 } });
    heldBy(await decide(bench, aRequest([aNeed(60n)])));
    const inAHurry = (): Promise<HoldResult> => decide(bench, aRequest([aNeed(70n)], { waitMs: 0 }));
    expect(await inAHurry()).toMatchObject({ denied: { reason: 'held' } });
    // Asks within the pause that the first refusal began, and nobody else comes to end it.
    expect(await inAHurry()).toMatchObject({ denied: { reason: 'held' } });
  });

  it('leaves nothing held behind a caller that went away', async () => {
    const bench = aBench({ [KEY]: 100n });
    const hold = heldBy(await decide(bench, aRequest([aNeed(100n)])));
    const caller = new AbortController();
    const waiting = bench.escrow.openHold(aRequest([aNeed(50n)], { signal: () => caller.signal }));
    await bench.time.advance(100);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await expect(bench.escrow.openHold(aRequest([aNeed(50n)], { signal: () => caller.signal }))).rejects.toMatchObject({
      name: 'AbortError',
    });
    bench.escrow.settle(hold, charging(10n));
    await drained(bench);
    expect(bench.ledger.pool.get(KEY)).toBe(90n);
  });
});

describe('a ledger that is away', () => {
  it('is retried for three seconds before the call is told so', async () => {
    const bench = aBench();
    bench.ledger.fault = new LedgerUnavailable('down');
    const before = bench.time.clock();
    await expect(decide(bench, aRequest([aNeed(10n)]))).rejects.toMatchObject({
      code: 'ledger_unavailable',
      cause: bench.ledger.fault,
    });
    expect(bench.time.clock() - before).toBeGreaterThanOrEqual(3_000);
    expect(bench.time.clock() - before).toBeLessThan(3_100);
  });

  it('refuses nobody when it is back in time', async () => {
    const bench = aBench();
    bench.ledger.fault = new LedgerUnavailable('rolling update');
    const all = Array.from({ length: 5 }, () => bench.escrow.openHold(aRequest([aNeed(10n)])));
    await bench.time.advance(2_000);
    bench.ledger.fault = null;
    await bench.time.advance(800);
    expect((await Promise.all(all)).every((result) => result.held)).toBe(true);
  });

  it('does not lose a grant whose reply was lost', async () => {
    const bench = aBench();
    bench.ledger.losesReplies = true;
    await expect(decide(bench, aRequest([aNeed(10n)]))).rejects.toBeInstanceOf(LedgerUnavailable);
    bench.ledger.losesReplies = false;
    await bench.time.advance(1_500);
    expect(bench.escrow.openHold(aRequest([aNeed(10n)]))).toMatchObject({ held: true });
    expect(new Set(bench.ledger.acquired.map((request) => request.seq)).size).toBe(1);
  });

  it('throws a refusal of the question itself at once', async () => {
    const bench = aBench();
    bench.ledger.fault = new LedgerRefused('numbers', 409, 'seq_reused');
    await expect(decide(bench, aRequest([aNeed(10n)]))).rejects.toBe(bench.ledger.fault);
  });

  it('that restarted does not know us until hello is said again, nor a budget that was just applied', async () => {
    for (const reason of ['unknown_instance', 'unknown_counter']) {
      const bench = aBench();
      bench.ledger.fault = new LedgerRefused('who?', 409, reason);
      const waiting = bench.escrow.openHold(aRequest([aNeed(10n)]));
      await bench.time.advance(1_000);
      bench.ledger.fault = null;
      await bench.time.advance(500);
      expect(await waiting).toMatchObject({ held: true });
    }
  });

  it('is not asked on for a call that has left, where it refused', async () => {
    const bench = aBench();
    bench.ledger.fault = new LedgerRefused('no such counter', 404, 'unknown_counter');
    await expect(decide(bench, aRequest([aNeed(10n)]))).rejects.toBeInstanceOf(LedgerUnavailable);
    const { length } = bench.ledger.acquired;
    await bench.time.advance(60_000);
    expect(bench.ledger.acquired.length).toBeLessThan(length + 3);
  });
});

describe('windows', () => {
  it('draws no hold on a window that is over, and gives back what is left of it', async () => {
    const bench = aBench();
    bench.ledger.remainingMs = 1_000;
    const hold = heldBy(await decide(bench, aRequest([aNeed(10n)])));
    await bench.time.advance(1_000);
    bench.ledger.windowId = 'w2';
    const next = heldBy(await decide(bench, aRequest([aNeed(10n)])));
    await bench.time.advance(50);
    expect(bench.ledger.returned.flatMap(({ returns }) => returns)).toMatchObject([{ windowId: 'w1', amount: 40n }]);
    bench.escrow.settle(hold, charging(3n));
    bench.escrow.settle(next, charging(3n));
    await bench.time.advance(200);
    expect(bench.ledger.returned[1]?.returns).toMatchObject([{ windowId: 'w1', amount: 7n }]);
    expect(bench.ledger.events.map((event) => event.counters[0]?.windowId)).toEqual(['w1', 'w2']);
  });

  it('counts a window from when it was asked about, not from the answer', async () => {
    const bench = aBench();
    bench.ledger.remainingMs = 500;
    let open = (): void => undefined;
    bench.ledger.gate = new Promise((resolve) => (open = resolve));
    const late = bench.escrow.openHold(aRequest([aNeed(10n)]));
    await bench.time.advance(600);
    bench.ledger.remainingMs = 60_000;
    const first = bench.ledger.acquired.length;
    open();
    await bench.time.settle();
    await late;
    expect(first).toBe(1);
    expect(bench.escrow.stats().leases).toBe(1);
  });

  it('gives an idle lease back down to one usual hold', async () => {
    const bench = aBench();
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(10n)]))), charging(2n));
    await bench.time.advance(40_000);
    expect(bench.ledger.returned.flatMap(({ returns }) => returns)).toMatchObject([{ amount: 38n }]);
    expect(bench.escrow.openHold(aRequest([aNeed(10n)]))).toMatchObject({ held: true });
  });

  it('gives back what turned out far more than is needed', async () => {
    const bench = aBench();
    const holds = await Promise.all(
      Array.from({ length: 40 }, () => bench.escrow.openHold(aRequest([aNeed(100n)]))).concat(
        bench.time.advance(50).then(() => heldNone),
      ),
    );
    for (const result of holds) if (result.held) bench.escrow.settle(result.hold, charging(1n));
    for (let turn = 0; turn < 15; turn += 1) {
      await bench.time.advance(1_000);
      bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(100n)]))), charging(1n));
    }
    const back = bench.ledger.returned.flatMap(({ returns }) => returns).reduce((sum, { amount }) => sum + amount, 0n);
    expect(back).toBeGreaterThan(3_000n);
  });

  it('gives back what is free when others wait for it', async () => {
    const bench = aBench();
    heldBy(await decide(bench, aRequest([aNeed(10n)])));
    bench.escrow.recall([aNeed(0n), aNeed(0n, { limit: 'unknown' })]);
    await bench.time.advance(50);
    expect(bench.ledger.returned.flatMap(({ returns }) => returns)).toMatchObject([{ amount: 40n }]);
  });
});

const heldNone: HoldResult = {
  held: false,
  denied: { granted: false, reason: 'held', counter: aNeed(0n), need: 0n, limit: 0n, left: 0n, resetMs: null },
};

describe('audit', () => {
  it('holds like Hard, and goes on where Hard would refuse', async () => {
    const bench = aBench({ [KEY]: 15n });
    const first = heldBy(await decide(bench, aRequest([], { audit: [aNeed(10n, { max: 15n })] })));
    expect(first.wouldRefuse).toEqual([]);
    bench.escrow.settle(first, charging(10n));
    await bench.time.advance(150);
    const before = bench.time.clock();
    const second = heldBy(await decide(bench, aRequest([], { audit: [aNeed(10n, { max: 15n })] })));
    expect(second.wouldRefuse).toMatchObject([{ limit: 'cost' }]);
    expect(bench.time.clock() - before).toBeLessThan(50);
    bench.escrow.settle(second, charging(10n));
    await bench.time.advance(150);
    expect(bench.ledger.events[1]?.counters).toMatchObject([
      { windowId: '', epoch: '', charged: 10n, wouldRefuse: true },
    ]);
    // Known for a second, so that a budget that is gone is not asked about with every call.
    expect(bench.escrow.openHold(aRequest([], { audit: [aNeed(10n, { max: 15n })] }))).toMatchObject({ held: true });
  });

  it('does not call it a refusal where Hard would have waited', async () => {
    const bench = aBench({ [KEY]: 15n });
    bench.ledger.pool.set(KEY, 0n);
    expect(heldBy(await decide(bench, aRequest([], { audit: [aNeed(10n)] }))).wouldRefuse).toEqual([]);
    await bench.time.advance(2_000);
    expect(heldBy(await decide(bench, aRequest([], { audit: [aNeed(10n)], waitMs: 0 }))).wouldRefuse).toHaveLength(1);
  });

  it('never holds a call up for a ledger that is away', async () => {
    const bench = aBench();
    bench.ledger.fault = new LedgerUnavailable('down');
    const before = bench.time.clock();
    expect(await decide(bench, aRequest([], { audit: [aNeed(10n)] }))).toMatchObject({ held: true });
    expect(bench.time.clock() - before).toBeLessThan(300);
    bench.ledger.fault = new LedgerRefused('no', 404, 'unknown_counter');
    expect(await decide(bench, aRequest([], { audit: [aNeed(10n, { budget: 'shop/x' })] }))).toMatchObject({
      held: true,
    });
  });
});

describe('the spool behind it', () => {
  it('gives no hold that it cannot write down, and goes on when the disk does', async () => {
    const disk = makeMemoryDisk();
    const open = disk.open;
    let isFull = false;
    const full = {
      ...disk,
      open: (name: string) => {
        const file = open(name);
        return {
          ...file,
          append: (bytes: Uint8Array) => {
            if (isFull) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
            file.append(bytes);
          },
        };
      },
    };
    const bench = aBench(undefined, { disk: full });
    const hold = heldBy(await decide(bench, aRequest([aNeed(10n)])));
    isFull = true;
    expect(() => bench.escrow.openHold(aRequest([aNeed(10n)]))).toThrow(SpoolFault);
    await expect(decide(bench, aRequest([aNeed(10n, { budget: 'shop/new' })], { waitMs: 0 }))).resolves.toMatchObject({
      held: false,
    });
    bench.escrow.settle(hold, charging(3n));
    await bench.time.advance(200);
    expect(bench.ledger.events.map((event) => event.charged)).toEqual([3n]);
    expect(bench.faults).toContain('write a settlement down');
    isFull = false;
    expect(bench.escrow.openHold(aRequest([aNeed(10n)]))).toMatchObject({ held: true, hold: { seq: 2 } });
  });

  it('charges an interrupted attempt at its hold, under its own id, and closes the life it was of', async () => {
    const before = aBench();
    heldBy(await decide(before, aRequest([aNeed(10n)], { soft: [aNeed(7n, { budget: 'shop/soft' })] })));
    before.escrow.settle(heldBy(await decide(before, aRequest([aNeed(10n)]))), charging(4n));
    // The process dies here.
    const after = aBench(undefined, { disk: makeMemoryDisk(before.disk.files), instance: 'i2', ledger: before.ledger });
    await after.time.advance(500);
    const [usage, interrupted] = after.ledger.events;
    expect(usage).toMatchObject({ instance: 'i1', seq: 2, settle: 'usage', charged: 4n });
    expect(interrupted).toMatchObject({ instance: 'i1', seq: 1, settle: 'interrupted', charged: 10n });
    expect(interrupted?.counters.map(({ charged, epoch }) => [charged, epoch])).toEqual([
      [10n, 'e1'],
      [7n, ''],
    ]);
    expect(after.ledger.closed).toEqual([{ instance: 'i1', epoch: ANY_EPOCH, lastSeq: 2 }]);
    expect(after.escrow.stats()).toMatchObject({ interrupted: 1, pendingEvents: 0 });
    // A third start has nothing left to do.
    const third = aBench(undefined, { disk: makeMemoryDisk(before.disk.files), instance: 'i3', ledger: before.ledger });
    await third.time.advance(500);
    expect(third.ledger.closed.map(({ instance }) => instance)).toEqual(['i1', 'i2']);
    expect(third.ledger.events).toHaveLength(2);
  });
});

describe('giving back', () => {
  it('is repeated under its number until it is answered', async () => {
    const bench = aBench();
    heldBy(await decide(bench, aRequest([aNeed(10n)])));
    bench.ledger.fault = new LedgerUnavailable('down');
    bench.escrow.recall([aNeed(0n)]);
    await bench.time.advance(500);
    bench.ledger.fault = null;
    await bench.time.advance(3_000);
    expect(bench.ledger.returned).toHaveLength(1);
    expect(bench.faults.filter((doing) => doing === 'give back').length).toBeGreaterThan(1);
  });

  it('that the ledger will not have is let go, for the closing to sort out', async () => {
    const bench = aBench();
    heldBy(await decide(bench, aRequest([aNeed(10n)])));
    bench.ledger.fault = new LedgerRefused('too much', 409, 'give_back_exceeds');
    bench.escrow.recall([aNeed(0n)]);
    await bench.time.advance(100);
    bench.ledger.fault = null;
    await bench.time.advance(3_000);
    expect(bench.ledger.returned).toHaveLength(0);
  });
});

describe('delivery', () => {
  it('ships in batches of at most 500', async () => {
    const bench = aBench();
    for (let call = 0; call < 1_200; call += 1) {
      const result = bench.escrow.openHold(aRequest([], { soft: [aNeed(1n)] }));
      bench.escrow.settle(heldBy(await result), charging(1n));
    }
    await bench.time.advance(300);
    expect(bench.ledger.batches).toEqual([500, 500, 200]);
    expect(bench.spool.stats()).toMatchObject({ open: 0, unacked: 0 });
  });

  it('delivers again what was not acknowledged', async () => {
    const bench = aBench();
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(10n)]))), charging(4n));
    bench.ledger.shipFault = () => new LedgerUnavailable('down');
    await bench.time.advance(1_000);
    expect(bench.escrow.stats().pendingEvents).toBe(1);
    bench.ledger.shipFault = null;
    await bench.time.advance(3_000);
    expect(bench.ledger.events).toHaveLength(1);
    expect(bench.escrow.stats()).toMatchObject({ pendingEvents: 0, shippedEvents: 1 });
  });

  it('finds the one event that the ledger will not take, and delivers the others', async () => {
    const bench = aBench();
    for (let call = 0; call < 9; call += 1) {
      bench.escrow.settle(heldBy(await bench.escrow.openHold(aRequest([], { soft: [aNeed(1n)] }))), charging(1n));
    }
    bench.ledger.shipFault = (events) =>
      events.some(({ seq }) => seq === 4)
        ? new LedgerRefused('bad', 400, 'bad_event')
        : events.some(({ seq }) => seq === 6)
          ? new LedgerRefused('known', 409, 'event_conflict')
          : null;
    await bench.time.advance(3_000);
    expect(bench.ledger.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 5, 7, 8, 9]);
    expect(bench.escrow.stats()).toMatchObject({ refusedEvents: 1, pendingEvents: 1 });
  });

  it('drains: waits for open holds, gives everything back, delivers, closes', async () => {
    const bench = aBench();
    const hold = heldBy(await decide(bench, aRequest([aNeed(10n)])));
    const draining = drained(bench);
    await bench.time.settle();
    expect(() => bench.escrow.openHold(aRequest([aNeed(10n)]))).toThrow('draining');
    bench.escrow.settle(hold, charging(4n));
    await draining;
    expect(bench.ledger.pool.get(KEY)).toBe(LIMIT - 4n);
    expect(bench.ledger.events).toHaveLength(1);
    expect(bench.ledger.closed).toEqual([{ instance: 'i1', epoch: ANY_EPOCH, lastSeq: 1 }]);
    expect(bench.spool.life('i1').epochs.size).toBe(0);
  });

  it('turns away those that wait when it drains', async () => {
    const bench = aBench();
    bench.ledger.pool.set(KEY, 0n);
    const waiting = bench.escrow.openHold(aRequest([aNeed(10n)]));
    await bench.time.advance(100);
    void bench.escrow.drain();
    await expect(waiting).rejects.toMatchObject({ code: 'escrow_closed' });
  });

  it('drains no longer than it is let', async () => {
    const bench = aBench();
    await decide(bench, aRequest([aNeed(10n)]));
    const deadline = new AbortController();
    const draining = bench.escrow.drain(deadline.signal);
    deadline.abort();
    await expect(draining).rejects.toMatchObject({ name: 'AbortError' });
    await expect(bench.escrow.drain(deadline.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('lets go of an old epoch and closes it, and never spends a grant of it afterwards', async () => {
    const bench = aBench();
    const hold = heldBy(await decide(bench, aRequest([aNeed(10n)])));
    bench.ledger.epoch = 'e2';
    bench.escrow.enterEpoch('e2');
    await bench.time.advance(6_000);
    expect(bench.ledger.returned.flatMap(({ returns }) => returns)).toMatchObject([{ epoch: 'e1', amount: 40n }]);
    expect(bench.ledger.closed).toEqual([]);
    bench.escrow.settle(hold, charging(10n));
    await bench.time.advance(6_000);
    expect(bench.ledger.closed).toEqual([{ instance: 'i1', epoch: 'e1', lastSeq: 1 }]);
    bench.ledger.epoch = 'e1';
    const late = bench.escrow.openHold(aRequest([aNeed(10n)], { waitMs: 0 }));
    void Promise.resolve(late).catch(() => undefined);
    await bench.time.advance(20);
    expect(bench.escrow.stats()).toMatchObject({ openHolds: 0, leases: 0 });
    // What is of no use is not asked for in a rush.
    expect(bench.ledger.acquired.length).toBeLessThan(5);
  });

  it('does not ask again to close what the ledger will not, until the next start', async () => {
    const before = aBench();
    heldBy(await decide(before, aRequest([aNeed(10n)])));
    before.ledger.closeFault = new LedgerRefused('missing', 409, 'events_missing');
    const after = aBench(undefined, { disk: makeMemoryDisk(before.disk.files), instance: 'i2', ledger: before.ledger });
    await after.time.advance(1_000);
    // All its epochs at once, then the one that is known.
    expect(after.faults.filter((doing) => doing === 'close an epoch')).toHaveLength(2);
    before.ledger.closeFault = new LedgerRefused('who?', 404, 'unknown_instance');
    const third = aBench(undefined, { disk: makeMemoryDisk(before.disk.files), instance: 'i3', ledger: before.ledger });
    await third.time.advance(1_000);
    expect(third.spool.life('i1').epochs.size).toBe(0);
  });
});
