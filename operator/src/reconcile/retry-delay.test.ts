import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeRetryDelay } from './retry-delay.ts';

const setUp = (random = () => 0) => {
  let now = 0;
  const delay = makeRetryDelay({ clock: () => now, random });
  return { delay, pass: (ms: number) => (now += ms) };
};

describe('the delay of a retry', () => {
  it('doubles from 5 ms to 1,000 s, and begins again when the key is well', () => {
    const { delay, pass } = setUp();
    const next = (): number => {
      pass(1000);
      return delay.next('a');
    };
    const waits = Array.from({ length: 20 }, next);
    expect(waits.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
    expect(waits.slice(17)).toEqual([655_360, 1_000_000, 1_000_000]);
    delay.forget('a');
    expect([delay.failures('a'), next()]).toEqual([0, 5]);
  });

  it('counts each key for itself', () => {
    const { delay } = setUp();
    expect([delay.next('a'), delay.next('a'), delay.next('b')]).toEqual([5, 10, 5]);
  });

  it('stays between its base and a fifth more than its most, for every key and chance', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), fc.nat(60), (chance, failures) => {
        const { delay, pass } = setUp(() => chance.next().value);
        for (let i = 0; i < failures; i += 1) {
          pass(1000);
          const ms = delay.next('a');
          expect(ms).toBeGreaterThanOrEqual(Math.min(1_000_000, 5 * 2 ** i));
          expect(ms).toBeLessThanOrEqual(Math.min(1_000_000, 5 * 2 ** i) * 1.2);
        }
      }),
    );
  });

  it('lets a hundred keys come again at once and the others ten a second', () => {
    const { delay, pass } = setUp();
    const waits = Array.from({ length: 120 }, (_, i) => delay.next(`key-${i}`));
    expect(waits.slice(0, 100).every((ms) => ms === 5)).toBe(true);
    expect(waits.slice(100, 103)).toEqual([100, 200, 300]);
    expect(waits[119]).toBe(2000);
    pass(12_000);
    expect(delay.next('another')).toBe(5);
  });
});
