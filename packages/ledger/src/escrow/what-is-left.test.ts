/** The figures that callers are told, and that a smaller cap is chosen by. */
import { describe, expect, it } from '@jest/globals';
import { LedgerUnavailable } from '../lease-port.ts';
import type { Denied, HoldResult } from './hold.ts';
import { aBench, aNeed, aRequest, charging, heldBy, KEY, type Bench } from './testing/a-hold.ts';

const silent = (): Error => new LedgerUnavailable('the events are late');

const decide = async ({ escrow, time }: Bench, amount: bigint, more = {}): Promise<HoldResult> => {
  const result = escrow.openHold(aRequest([aNeed(amount)], { waitMs: 0, ...more }));
  await time.advance(100);
  return result;
};

/** A limit of 100, of which we spent this much; the ledger has heard of none of it. */
const spentUnheard = async (...charges: bigint[]): Promise<Bench> => {
  const bench = aBench({ [KEY]: 100n });
  bench.ledger.generous = false;
  bench.ledger.shipFault = silent;
  for (const charged of charges) bench.escrow.settle(heldBy(await decide(bench, charged)), charging(charged));
  return bench;
};

describe('what is left', () => {
  it('takes off what is settled here and not yet stored there', async () => {
    const bench = await spentUnheard(30n, 40n);
    expect(await decide(bench, 50n)).toMatchObject({ denied: { left: 30n, need: 50n, limit: 100n } });
    expect(bench.escrow.left(aNeed(0n))).toBe(30n);
  });

  it('is the same before and after the ledger has heard', async () => {
    const bench = await spentUnheard(30n, 40n);
    await decide(bench, 50n);
    bench.ledger.shipFault = null;
    await bench.time.advance(10_000);
    expect(bench.escrow.stats().pendingEvents).toBe(0);
    expect(bench.escrow.left(aNeed(0n))).toBe(30n);
    expect(await decide(bench, 50n)).toMatchObject({ denied: { left: 30n, reason: 'exhausted' } });
    expect(bench.escrow.left(aNeed(0n))).toBe(30n);
  });

  it('is what a smaller need is reckoned with, which then fits', async () => {
    const bench = await spentUnheard(30n, 40n);
    const seen: Denied[] = [];
    const result = decide(bench, 50n, {
      waitMs: 1_000,
      tighten: (denied: Denied) => {
        seen.push(denied);
        return Promise.resolve({ held: denied.left, needs: [aNeed(denied.left)] });
      },
    });
    await bench.time.advance(1_000);
    expect(await result).toMatchObject({ held: true, hold: { needs: [{ amount: 30n }] } });
    expect(seen).toMatchObject([{ left: 30n, reason: 'held' }]);
  });

  it('is not called held by others where it is our own spending', async () => {
    const bench = await spentUnheard(80n);
    expect(await decide(bench, 50n)).toMatchObject({ denied: { reason: 'exhausted', left: 20n } });
    expect(await decide(bench, 101n)).toMatchObject({ denied: { reason: 'neverFits' } });
  });

  it('counts our open holds out, and in again when they cost less', async () => {
    const bench = await spentUnheard(30n);
    const hold = heldBy(await decide(bench, 40n));
    expect(await decide(bench, 50n)).toMatchObject({ denied: { left: 70n, reason: 'held' } });
    expect(bench.escrow.left(aNeed(0n))).toBe(30n);
    bench.escrow.settle(hold, charging(10n));
    expect(bench.escrow.left(aNeed(0n))).toBe(60n);
  });

  it('says nothing of a new window until the ledger has spoken of it', async () => {
    const bench = aBench({ [KEY]: 100n });
    bench.ledger.generous = false;
    bench.ledger.shipFault = silent;
    bench.ledger.remainingMs = 1_000;
    const late = heldBy(await decide(bench, 20n));
    bench.escrow.settle(heldBy(await decide(bench, 30n)), charging(30n));
    await decide(bench, 60n);
    await bench.time.advance(1_000);
    expect(bench.escrow.left(aNeed(0n))).toBeNull();
    bench.ledger.windowId = 'w2';
    bench.ledger.remainingMs = null;
    bench.ledger.pool.set(KEY, 100n);
    bench.escrow.settle(heldBy(await decide(bench, 25n)), charging(25n));
    // Of the window before: none of this window's money.
    bench.escrow.settle(late, charging(20n));
    expect(await decide(bench, 90n)).toMatchObject({ denied: { left: 75n } });
    bench.ledger.shipFault = null;
    await bench.time.advance(10_000);
    expect(bench.escrow.left(aNeed(0n))).toBe(75n);
  });

  it('takes off a charge above its hold too, once for each counter of a call', async () => {
    const calls = aNeed(1n, { limit: 'calls', unit: 'requests', max: 3n });
    const bench = aBench({ [KEY]: 100n, 'shop/monthly/calls': 3n });
    bench.ledger.generous = false;
    bench.ledger.shipFault = silent;
    const opened = bench.escrow.openHold(aRequest([aNeed(30n), calls], { waitMs: 0 }));
    await bench.time.advance(10);
    const settlement = charging(35n, { counterCharge: ({ unit }) => (unit === 'requests' ? 1n : 35n) });
    bench.escrow.settle(heldBy(await opened), settlement);
    expect(await decide(bench, 90n)).toMatchObject({ denied: { left: 65n } });
    const many = bench.escrow.openHold(aRequest([{ ...calls, amount: 3n }], { waitMs: 0 }));
    await bench.time.advance(10);
    expect(await many).toMatchObject({ denied: { left: 2n, reason: 'exhausted' } });
  });
});
