import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeVirtualTime } from './virtual-time.ts';

describe('virtual time', () => {
  it('rings by time, then in the order of setting, whatever was cancelled', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ ms: fc.nat(20), isOff: fc.boolean() }), { maxLength: 60 }), async (set) => {
        const time = makeVirtualTime(0);
        const rung: number[] = [];
        const cancels = set.map(({ ms }, index) => time.timers.after(ms, () => void rung.push(index)));
        set.forEach(({ isOff }, index) => {
          if (isOff) cancels[index]?.();
        });
        await time.advance(20);
        const expected = set
          .map(({ ms, isOff }, index) => ({ ms, isOff, index }))
          .filter(({ isOff }) => !isOff)
          .toSorted((a, b) => a.ms - b.ms || a.index - b.index);
        expect(rung).toEqual(expected.map(({ index }) => index));
      }),
      { numRuns: 50 },
    );
  });

  it('lets everything that was promised happen before the next timer', async () => {
    const time = makeVirtualTime(0);
    const seen: string[] = [];
    time.timers.after(1, () => {
      void (async () => {
        for (let deep = 0; deep < 100; deep += 1) await Promise.resolve();
        seen.push('promised');
      })();
    });
    time.timers.after(1, () => void seen.push('next'));
    await time.advance(1);
    expect(seen).toEqual(['promised', 'next']);
  });

  it('stops at the moment asked for, with what is later still to come', async () => {
    const time = makeVirtualTime(0);
    const seen: number[] = [];
    for (const ms of [5, 10, 11]) time.timers.after(ms, () => void seen.push(time.clock()));
    await time.advance(10);
    expect([seen, time.clock()]).toEqual([[5, 10], 10]);
    expect(await time.step()).toBe(true);
    expect([await time.step(), time.clock()]).toEqual([false, 11]);
  });

  it('looks on after every timer, and ends by what the look throws', async () => {
    const time = makeVirtualTime(0);
    let looks = 0;
    time.timers.after(1, () => undefined);
    await time.advance(2, () => void (looks += 1));
    expect(looks).toBe(2);
    time.timers.after(1, () => undefined);
    await expect(
      time.advance(5, () => {
        throw new Error('seen');
      }),
    ).rejects.toThrow('seen');
  });
});
