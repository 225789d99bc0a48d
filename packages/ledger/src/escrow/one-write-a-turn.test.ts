/** A busy proxy: many holds in one turn of the event loop, whose intents are one write at its end. */
import { describe, expect, it } from '@jest/globals';
import { makeMemoryDisk, type MemoryDisk } from '../spool/memory-disk.ts';
import type { SpoolDisk } from '../spool/spool-disk.ts';
import { SpoolFault } from '../spool/spool-fault.ts';
import { openSpool } from '../spool/spool.ts';
import type { HoldResult } from './hold.ts';
import { aBench, aNeed, aRequest, charging, heldBy, KEY, LIMIT } from './testing/a-hold.ts';

interface Writes {
  count: number;
  areRefused: boolean;
}

const counted = (disk: SpoolDisk, writes: Writes): SpoolDisk => ({
  ...disk,
  open: (name) => {
    const file = disk.open(name);
    return {
      ...file,
      append: (bytes) => {
        if (writes.areRefused) throw new Error('ENOSPC: no space left on device');
        writes.count += 1;
        file.append(bytes);
      },
    };
  },
});

const copyOf = ({ files }: MemoryDisk): MemoryDisk =>
  makeMemoryDisk(
    new Map(
      [...files].map(([name, { bytes, length }]) => [name, { bytes: Buffer.from(bytes.subarray(0, length)), length }]),
    ),
  );

/** With a lease in hand, and a turn that ends when it is told to. */
const aBusyBench = async (limit = LIMIT, maxBytes = 1 << 20) => {
  const disk = makeMemoryDisk();
  const writes: Writes = { count: 0, areRefused: false };
  const ends: (() => void)[] = [];
  const { time, ledger, spool, escrow } = aBench(
    { [KEY]: limit },
    { disk, spool: openSpool({ disk: counted(disk, writes), maxBytes }), defer: (act) => void ends.push(act) },
  );
  const endTurn = async (): Promise<void> => {
    for (const end of ends.splice(0)) end();
    await time.settle();
  };
  const first = escrow.openHold(aRequest([aNeed(40n)]));
  await time.advance(10);
  await endTurn();
  escrow.settle(heldBy(await first), charging(0n));
  writes.count = 0;
  /** What the next process would find, were this one to die now. */
  const open = (): readonly number[] => [
    ...openSpool({ disk: copyOf(disk) })
      .life('i1')
      .open.keys(),
  ];
  return { time, ledger, spool, escrow, writes, endTurn, open };
};

const outcomeOf = (result: unknown) => {
  const seen: { held: boolean; fault: unknown } = { held: false, fault: null };
  void Promise.resolve(result).then(
    () => (seen.held = true),
    (fault: unknown) => (seen.fault = fault),
  );
  return seen;
};

describe('holds of one turn', () => {
  it('are handed out behind one write of all their intents, and none before it', async () => {
    const { escrow, writes, endTurn, open, time } = await aBusyBench();
    const results = [1, 2, 3].map(() => escrow.openHold(aRequest([aNeed(10n)])));
    const seen = results.map(outcomeOf);
    await time.settle();
    expect(seen.map(({ held }) => held)).toEqual([false, false, false]);
    expect(open()).toEqual([]);
    await endTurn();
    expect(seen.map(({ held }) => held)).toEqual([true, true, true]);
    expect(writes.count).toBe(1);
    expect(open()).toEqual([2, 3, 4]);
    for (const result of results) escrow.settle(heldBy(await result), charging(4n));
    expect(open()).toEqual([]);
  });

  it('draw on the lease as they come: what one took, no other of its turn can take', async () => {
    const { escrow, endTurn, ledger, time } = await aBusyBench(40n);
    const [most, more] = [40n, 1n].map((amount) => escrow.openHold(aRequest([aNeed(amount)], { waitMs: 0 })));
    await endTurn();
    await time.advance(3_000);
    await endTurn();
    await expect(most).resolves.toMatchObject({ held: true });
    await expect(more).resolves.toMatchObject({ held: false });
    expect(ledger.acquired.length).toBeGreaterThan(1);
  });

  it('are refused together where the disk does not take the write, and take nothing; their numbers are given anew', async () => {
    const { escrow, writes, endTurn, open } = await aBusyBench(40n);
    writes.areRefused = true;
    const seen = [20n, 20n].map((amount) => outcomeOf(escrow.openHold(aRequest([aNeed(amount)]))));
    await endTurn();
    expect(seen.map(({ fault }) => fault)).toEqual([expect.any(SpoolFault), expect.any(SpoolFault)]);
    expect(escrow.stats()).toMatchObject({ openHolds: 0 });
    expect(open()).toEqual([]);
    writes.areRefused = false;
    const again = escrow.openHold(aRequest([aNeed(40n)]));
    await endTurn();
    expect(heldBy(await again).seq).toBe(2);
    expect(open()).toEqual([2]);
  });

  it('that were refused for the disk leave their money to a call that waits for it', async () => {
    const { escrow, writes, endTurn, time } = await aBusyBench(40n);
    writes.areRefused = true;
    const refused = outcomeOf(escrow.openHold(aRequest([aNeed(40n)])));
    const waiting = outcomeOf(escrow.openHold(aRequest([aNeed(40n)])));
    await endTurn();
    expect(refused.fault).toBeInstanceOf(SpoolFault);
    expect(waiting).toEqual({ held: false, fault: null });
    writes.areRefused = false;
    await endTurn();
    await time.settle();
    expect(waiting.held).toBe(true);
  });

  it('leave room in the spool for the settlements of all of them', async () => {
    const { escrow, spool, endTurn } = await aBusyBench(LIMIT, 64 << 10);
    const held: Promise<HoldResult>[] = [];
    let isFull = false;
    for (let turn = 0; turn < 200 && !isFull; turn += 1) {
      const results = Array.from({ length: 8 }, () => escrow.openHold(aRequest([aNeed(1n)])));
      const seen = results.map(outcomeOf);
      await endTurn();
      isFull = seen.some(({ fault }) => fault !== null);
      if (!isFull) held.push(...results.map((result) => Promise.resolve(result)));
    }
    expect(isFull).toBe(true);
    for (const result of await Promise.all(held)) escrow.settle(heldBy(result), charging(1n));
    expect(spool.stats()).toMatchObject({ writeFaults: 0, open: 0 });
    expect(spool.stats().bytes).toBeLessThan(64 << 10);
  });

  it('are waited for while the proxy drains', async () => {
    const { escrow, endTurn, time, open } = await aBusyBench();
    const result = escrow.openHold(aRequest([aNeed(10n)]));
    let isDrained = false;
    void escrow.drain().then(() => (isDrained = true));
    await time.advance(100);
    expect(isDrained).toBe(false);
    await endTurn();
    const hold = heldBy(await result);
    expect(open()).toEqual([2]);
    await time.advance(100);
    expect(isDrained).toBe(false);
    escrow.settle(hold, charging(1n));
    for (let turn = 0; turn < 1_000 && !isDrained; turn += 1) await time.advance(50);
    expect(isDrained).toBe(true);
  });
});
