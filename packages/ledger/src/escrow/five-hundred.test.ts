/** 500 calls at once against the production pool. */
import { describe, expect, it } from '@jest/globals';
import { makeMemoryBlockSource } from '../pool/memory-block-source.ts';
import { makeMemoryPool } from '../pool/memory-pool.ts';
import { makeVirtualTime } from '../simulator/virtual-time.ts';
import { makeMemoryDisk } from '../spool/memory-disk.ts';
import { openSpool } from '../spool/spool.ts';
import { makeEscrow } from './escrow.ts';
import type { HoldNeed, HoldResult } from './hold.ts';
import { aNeed, aRequest, charging, heldBy } from './testing/a-hold.ts';
import { openEvent } from '../wire/sealed-event.ts';

const CALLS = 500;

const aTown = async (max: bigint) => {
  const time = makeVirtualTime(0);
  const source = makeMemoryBlockSource();
  const pool = await makeMemoryPool({
    source,
    resolve: (name) => ({ ...name, unit: 'cost', max, window: { id: 'w', start: 0, end: null }, sliding: null }),
    clock: time.clock,
    liveProxies: () => 1,
  });
  source.register('i1');
  await pool.join('i1');
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void time.timers.after(ms, resolve));
  const escrow = makeEscrow({
    port: {
      acquire: async (request) => {
        await pause(2);
        return pool.acquire(request);
      },
      giveBack: (request) => pool.giveBack(request),
    },
    session: {
      ship: async (events) => {
        await pause(2);
        const charges = events
          .map(openEvent)
          .flatMap(({ counters, instance }) => counters.map((counter) => ({ ...counter, instance })));
        source.settle(charges);
        await pool.settled(charges);
        return events.at(-1)?.seq ?? 0;
      },
      closeEpoch: () => Promise.resolve(),
    },
    spool: openSpool({ disk: makeMemoryDisk() }),
    clock: time.clock,
    now: time.clock,
    timers: time.timers,
    random: () => 0.5,
    instance: 'i1',
  });
  const all = (need: HoldNeed, waitMs: number) =>
    Array.from({ length: CALLS }, () => escrow.openHold(aRequest([need], { waitMs })));
  return { time, escrow, all };
};

const outcomes = (results: readonly HoldResult[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const result of results) {
    const outcome = result.held ? 'admitted' : result.denied.reason;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
};

describe('500 calls at once', () => {
  it('with their answers withheld: exactly what the limit holds is admitted, the others are told who has it', async () => {
    for (const [amount, max] of [
      [1n, 100n],
      [1_000_000n, 100_000_000n],
    ] as const) {
      const { time, escrow, all } = await aTown(max);
      const pending = all(aNeed(amount, { max }), 5_000);
      await time.advance(6_000);
      expect(outcomes(await Promise.all(pending))).toEqual({ admitted: 100, held: 400 });
      expect(escrow.stats().openHolds).toBe(100);
    }
  });

  it('are admitted in a moment where the money is there', async () => {
    const { time, escrow, all } = await aTown(1_000_000_000n);
    const pending = all(aNeed(1_000_000n, { max: 1_000_000_000n }), 5_000);
    await time.advance(200);
    expect(outcomes(await Promise.all(pending))).toEqual({ admitted: 500 });
    expect(escrow.stats().acquisitions).toBeLessThan(30);
  });

  it('retried as told spend up to less than one hold below the limit, and not beyond', async () => {
    const max = 100_000n;
    const { time, escrow } = await aTown(max);
    let spent = 0n;
    let firstExhausted: bigint | null = null;
    const call = async (): Promise<void> => {
      for (;;) {
        const result = await escrow.openHold(aRequest([aNeed(2_500n, { max })]));
        if (result.held) {
          await new Promise<void>((resolve) => void time.timers.after(300, resolve));
          spent += 1_000n;
          escrow.settle(heldBy(result), charging(1_000n));
          return;
        }
        if (result.denied.reason === 'exhausted') {
          firstExhausted ??= spent;
          return;
        }
      }
    };
    const calls = Promise.all(Array.from({ length: CALLS }, call));
    await time.advance(60_000);
    await calls;
    expect(spent).toBeLessThanOrEqual(max);
    expect(firstExhausted).toBeGreaterThan(max - 2_500n);
  });
});
