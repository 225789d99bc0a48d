import { describe, expect, it } from '@jest/globals';
import { openSpool } from '../spool/spool.ts';
import type { HoldNeed, HoldRequest, HoldResult, Tighter } from './hold.ts';
import { aBench, aHead, aNeed, aRequest, charging, heldBy, KEY, type Bench } from './testing/a-hold.ts';

const decide = async (bench: Bench, request: HoldRequest, ms = 10_000): Promise<HoldResult> => {
  const result = Promise.resolve(bench.escrow.openHold(request));
  result.catch(() => undefined);
  await bench.time.advance(ms);
  return result;
};

interface Asked {
  times: number;
  accepted: number;
}

/** A call that turns out to need `after` of what it holds. */
const loosely = (amount: bigint, after: bigint | null, asked: Asked, more: Partial<HoldNeed> = {}): HoldRequest =>
  aRequest([aNeed(amount, more)], {
    head: aHead({ held: amount }),
    tightenOpen: (): Promise<Tighter | null> => {
      asked.times += 1;
      return Promise.resolve(
        after === null
          ? null
          : {
              held: after,
              needs: [aNeed(after, more)],
              accepted: () => {
                asked.accepted += 1;
              },
            },
      );
    },
  });

const asking = (): Asked => ({ times: 0, accepted: 0 });

describe('open holds, while another call waits for their money', () => {
  it('are tightened, the largest first, until the call has enough', async () => {
    const bench = aBench({ [KEY]: 100n });
    const [small, large] = [asking(), asking()];
    heldBy(await decide(bench, loosely(40n, 1n, small)));
    const hold = heldBy(await decide(bench, loosely(60n, 20n, large)));
    const waiting = await decide(bench, aRequest([aNeed(35n)]), 1_000);
    expect([waiting.held, large, small]).toEqual([true, { times: 1, accepted: 1 }, asking()]);
    expect([hold.head.held, hold.needs.map(({ amount }) => amount)]).toEqual([20n, [20n]]);
    bench.escrow.settle(hold, charging(-1n));
    await bench.time.advance(1_000);
    // At its hold, as it was tightened.
    expect(bench.ledger.events).toMatchObject([{ held: 20n, charged: 20n, counters: [{ held: 20n, charged: 20n }] }]);
    expect(bench.escrow.stats().holdViolations).toBe(0);
  });

  it('that a crash leaves behind are charged as they were tightened, and never more than the limit in all', async () => {
    const bench = aBench({ [KEY]: 100n });
    heldBy(await decide(bench, loosely(90n, 30n, asking())));
    heldBy(await decide(bench, aRequest([aNeed(70n)]), 1_000));
    const next = aBench({ [KEY]: 100n }, { disk: bench.disk, instance: 'i2', ledger: bench.ledger });
    await next.time.advance(1_000);
    expect(bench.ledger.events.map(({ settle, charged }) => [settle, charged])).toEqual([
      ['interrupted', 30n],
      ['interrupted', 70n],
    ]);
  });

  it('stay as they are where the disk does not take the record of it', async () => {
    const bench = aBench({ [KEY]: 100n });
    const asked = asking();
    heldBy(await decide(bench, loosely(90n, 30n, asked)));
    const spool = bench.spool as { tighten: typeof bench.spool.tighten };
    spool.tighten = () => {
      throw new Error('EIO');
    };
    expect(await decide(bench, aRequest([aNeed(70n)]))).toMatchObject({ held: false });
    expect(asked).toEqual({ times: 1, accepted: 0 });
    expect(bench.faults).toContain('write a tighter hold down');
    expect(bench.escrow.inHand()).toMatchObject([{ free: 0n, held: 90n }]);
  });

  it('are asked once, whatever they say, and not where they have ended meanwhile or are of another counter', async () => {
    const bench = aBench({ [KEY]: 100n, 'shop/other/cost': 100n });
    const [silent, greater, failing, other] = [asking(), asking(), asking(), asking()];
    heldBy(await decide(bench, loosely(30n, null, silent)));
    heldBy(await decide(bench, loosely(30n, 50n, greater)));
    heldBy(
      await decide(bench, {
        ...aRequest([aNeed(30n)]),
        tightenOpen: () => {
          failing.times += 1;
          return Promise.reject(new Error('no tokenizer'));
        },
      }),
    );
    heldBy(await decide(bench, loosely(30n, 1n, other, { budget: 'shop/other' })));
    const late = Promise.withResolvers<Tighter>();
    const ending = heldBy(await decide(bench, { ...aRequest([aNeed(5n)]), tightenOpen: () => late.promise }));
    const waiting = Promise.resolve(bench.escrow.openHold(aRequest([aNeed(50n)])));
    await bench.time.advance(500);
    bench.escrow.settle(ending, charging(5n));
    late.resolve({ held: 0n, needs: [aNeed(0n)], accepted: () => undefined });
    await bench.time.advance(10_000);
    expect(await waiting).toMatchObject({ held: false });
    expect(await decide(bench, aRequest([aNeed(50n)]))).toMatchObject({ held: false });
    expect([silent.times, greater, failing.times, other.times]).toEqual([1, { times: 1, accepted: 1 }, 1, 0]);
    expect(bench.escrow.inHand()).toEqual(
      expect.arrayContaining([expect.objectContaining({ budget: 'shop/monthly', held: 90n })]),
    );
  });

  it('of this proxy give to others who wait', async () => {
    const bench = aBench({ [KEY]: 100n });
    heldBy(await decide(bench, loosely(90n, 25n, asking())));
    bench.escrow.recall([aNeed(0n)]);
    await bench.time.advance(1_000);
    expect(bench.ledger.pool.get(KEY)).toBe(75n);
    const after = openSpool({ disk: bench.disk });
    expect([...after.life('i1').open.values()].map(({ intent }) => intent.counters[0]?.held)).toEqual([25n]);
  });
});
