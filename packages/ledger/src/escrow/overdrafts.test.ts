import { describe, expect, it } from '@jest/globals';
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import { LedgerUnavailable } from '../lease-port.ts';
import { LedgerRefused } from '../ledger-refused.ts';
import { makeMemoryDisk, type MemoryDisk } from '../spool/memory-disk.ts';
import type { HoldRequest, HoldResult } from './hold.ts';
import { aBench, aNeed, aRequest, charging, heldBy, KEY, type Bench } from './testing/a-hold.ts';

const OVERDRAFT = `shop/monthly/${OVERDRAFT_LIMIT}`;
const TERMS = { budget: 'shop/monthly', amount: 1_000n, maxDurationMs: 60_000 };
const DOWN = new LedgerUnavailable('down');

const decide = async (bench: Bench, request: HoldRequest, waitMs = 20_000): Promise<HoldResult> => {
  const result = Promise.resolve(bench.escrow.openHold(request));
  result.catch(() => undefined);
  await bench.time.advance(waitMs);
  return result;
};

/** 100 of the limit, 1,000 of overdraft, and this proxy's share of it in hand. */
const start = async ({ peers = 1 } = {}): Promise<Bench> => {
  const bench = aBench({ [KEY]: 100n, [OVERDRAFT]: 1_000n });
  bench.escrow.setPeers(peers);
  bench.escrow.setOverdrafts([TERMS]);
  await bench.time.advance(10);
  return bench;
};

describe('an overdraft', () => {
  it('is leased ahead of need, each proxy its share, and lent to no call while the ledger answers', async () => {
    const bench = await start({ peers: 4 });
    expect(bench.ledger.pool.get(OVERDRAFT)).toBe(750n);
    expect(bench.escrow.stats()).toMatchObject({ overdraftLeft: 250n, outageMs: null });
    expect(await decide(bench, aRequest([aNeed(150n)]))).toMatchObject({ held: false });
    // Nor given back for want of use.
    await bench.time.advance(120_000);
    expect(bench.escrow.stats().overdraftLeft).toBe(250n);
  });

  it('lets calls go on once the ledger was silent for three seconds, within the share, and is charged in their place', async () => {
    const bench = await start();
    bench.ledger.fault = DOWN;
    const before = bench.time.clock();
    const first = Promise.resolve(bench.escrow.openHold(aRequest([aNeed(400n)])));
    await bench.time.advance(2_900);
    expect(bench.escrow.stats().openHolds).toBe(0);
    await bench.time.advance(200);
    const hold = heldBy(await first);
    expect(hold).toMatchObject({ isOverdrawn: true, needs: [{ limit: OVERDRAFT_LIMIT, amount: 400n }] });
    expect(bench.time.clock() - before).toBeLessThan(3_200);
    // The next one need not wait to learn what is known.
    const second = heldBy(await decide(bench, aRequest([aNeed(600n)]), 10));
    await expect(decide(bench, aRequest([aNeed(1n)]))).rejects.toBeInstanceOf(LedgerUnavailable);
    bench.escrow.settle(hold, charging(150n));
    expect(heldBy(await decide(bench, aRequest([aNeed(250n)]), 10)).isOverdrawn).toBe(true);
    bench.escrow.settle(second, charging(600n));
    bench.ledger.fault = null;
    await bench.time.advance(5_000);
    expect(bench.ledger.settled.get(OVERDRAFT)).toBe(750n);
    expect(bench.ledger.settled.get(KEY)).toBeUndefined();
    expect(bench.escrow.stats()).toMatchObject({ outageMs: null, overdrawn: 3 });
    // And the limit itself is spent by leases again.
    expect(heldBy(await decide(bench, aRequest([aNeed(100n)]))).isOverdrawn).toBe(false);
  });

  it('is refused by a disk that takes no intent, to the call alone', async () => {
    const disk = makeMemoryDisk();
    let isFull = false;
    const filling: MemoryDisk = {
      ...disk,
      open: (name) => {
        const file = disk.open(name);
        return {
          ...file,
          append: (bytes) => {
            if (isFull) throw new Error('ENOSPC');
            file.append(bytes);
          },
        };
      },
    };
    const bench = aBench({ [KEY]: 100n, [OVERDRAFT]: 1_000n }, { disk: filling });
    bench.escrow.setOverdrafts([TERMS]);
    await bench.time.advance(10);
    bench.ledger.fault = DOWN;
    isFull = true;
    const refused = expect(Promise.resolve(bench.escrow.openHold(aRequest([aNeed(150n)])))).rejects;
    // The timer that declares the outage has nobody who would catch what the disk says.
    await bench.time.advance(5_000);
    await refused.toMatchObject({ code: 'spool_fault' });
    isFull = false;
    expect(heldBy(await decide(bench, aRequest([aNeed(1_000n)]))).isOverdrawn).toBe(true);
  });

  it('lasts as long as the budget says, and as long again in the next outage', async () => {
    const bench = await start();
    bench.ledger.fault = DOWN;
    expect(heldBy(await decide(bench, aRequest([aNeed(150n)]))).isOverdrawn).toBe(true);
    await bench.time.advance(45_000);
    await expect(decide(bench, aRequest([aNeed(150n)]))).rejects.toBeInstanceOf(LedgerUnavailable);
    bench.ledger.fault = null;
    await bench.time.advance(5_000);
    bench.ledger.fault = DOWN;
    expect(heldBy(await decide(bench, aRequest([aNeed(150n)]))).isOverdrawn).toBe(true);
  });

  it('spends what is in hand of the limit first', async () => {
    const bench = await start();
    bench.escrow.settle(heldBy(await decide(bench, aRequest([aNeed(80n)]))), charging(0n));
    bench.ledger.fault = DOWN;
    expect(heldBy(await decide(bench, aRequest([aNeed(80n)]))).isOverdrawn).toBe(false);
    expect(heldBy(await decide(bench, aRequest([aNeed(80n)]))).isOverdrawn).toBe(true);
  });

  it('stands in for money alone, and for no other budget', async () => {
    const bench = await start();
    bench.ledger.fault = DOWN;
    const calls = aNeed(1n, { limit: 'calls', unit: 'requests' });
    await expect(decide(bench, aRequest([aNeed(1n), calls]))).rejects.toBeInstanceOf(LedgerUnavailable);
    const other = aNeed(1n, { budget: 'shop/other' });
    await expect(decide(bench, aRequest([aNeed(1n), other]))).rejects.toBeInstanceOf(LedgerUnavailable);
  });

  it('is drawn on once by a call that two limits of the budget miss money for', async () => {
    const bench = await start();
    bench.ledger.fault = DOWN;
    const hold = heldBy(await decide(bench, aRequest([aNeed(30n), aNeed(30n, { limit: 'monthly' })])));
    expect(hold.needs).toMatchObject([{ limit: OVERDRAFT_LIMIT, amount: 30n }]);
  });

  it('is not for a ledger that answers, and refuses', async () => {
    const bench = await start();
    bench.ledger.fault = new LedgerRefused('no such token', 401, 'unauthenticated');
    await expect(decide(bench, aRequest([aNeed(1n)]))).rejects.toMatchObject({ code: 'ledger_unavailable' });
    expect(bench.escrow.stats().outageMs).toBeNull();
  });

  it('is shared anew where others wait for it, and a share that is taken is asked for by halves', async () => {
    const bench = await start();
    bench.escrow.recall([{ budget: 'shop/monthly', limit: OVERDRAFT_LIMIT, partition: '' }]);
    await bench.time.advance(100);
    expect([bench.ledger.pool.get(OVERDRAFT), bench.escrow.stats().overdraftLeft]).toEqual([500n, 500n]);
    const late = aBench({ [OVERDRAFT]: 1_000n });
    late.ledger.pool.set(OVERDRAFT, 300n);
    late.escrow.setOverdrafts([TERMS]);
    await late.time.advance(30_000);
    expect(late.escrow.stats().overdraftLeft).toBe(250n);
  });

  it('is not leased any more by a proxy that is on its way out, whatever it hears of budgets then', async () => {
    const bench = aBench({ [KEY]: 100n, [OVERDRAFT]: 1_000n });
    bench.ledger.fault = DOWN;
    const drained = bench.escrow.drain();
    await bench.time.advance(100);
    bench.ledger.fault = null;
    bench.escrow.setOverdrafts([TERMS]);
    await bench.time.advance(10_000);
    await drained;
    expect(bench.ledger.pool.get(OVERDRAFT)).toBe(1_000n);
    expect(bench.escrow.inHand()).toEqual([]);
  });

  it('that is no longer in the budget goes back, and so does all of it at the end', async () => {
    const bench = await start();
    bench.escrow.setOverdrafts([]);
    await bench.time.advance(40_000);
    expect(bench.ledger.pool.get(OVERDRAFT)).toBe(1_000n);
    bench.escrow.setOverdrafts([TERMS]);
    await bench.time.advance(100);
    expect(bench.ledger.pool.get(OVERDRAFT)).toBe(0n);
    void bench.escrow.drain();
    await bench.time.advance(1_000);
    expect(bench.ledger.pool.get(OVERDRAFT)).toBe(1_000n);
  });
});
