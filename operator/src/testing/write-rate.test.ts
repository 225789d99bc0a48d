import { describe, expect, it } from '@jest/globals';
import { excessOver, mostWithin } from './write-rate.ts';

const every = (ms: number, count: number, from = 0): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + index * ms);

describe('the most within a span', () => {
  it.each([
    { times: [], spanMs: 1_000, most: 0 },
    { times: [5], spanMs: 1_000, most: 1 },
    { times: every(50, 100), spanMs: 1_000, most: 20 },
    { times: [0, 1, 2, 1_000, 1_001, 1_002, 1_003], spanMs: 1_000, most: 4 },
  ])('of $times.length in $spanMs ms is $most', ({ times, spanMs, most }) => {
    expect(mostWithin(times, spanMs)).toBe(most);
  });
});

describe('what exceeds a rate', () => {
  const atTwenty = (times: readonly number[], slackMs = 0): number => excessOver(times, { perSecond: 20, slackMs });

  it('is nothing at the rate, for however long', () => {
    expect(atTwenty(every(50, 2_000))).toBe(0);
  });
  it('is nothing where twenty come at once, each second', () => {
    expect(atTwenty([...every(0, 20), ...every(0, 20, 1_000), ...every(0, 20, 2_000)])).toBe(0);
  });
  it('is one where twenty-one come at once', () => {
    expect(atTwenty(every(0, 21))).toBe(1);
  });
  it('grows with the time for which a rate is only a little too high', () => {
    expect(atTwenty(every(48, 400), 1_000)).toBe(0);
    expect(atTwenty(every(48, 3_000), 1_000)).toBeGreaterThan(50);
  });
  it('forgives a delay, and no more', () => {
    expect(atTwenty(every(0, 40), 1_000)).toBe(0);
    expect(atTwenty(every(0, 41), 1_000)).toBe(1);
  });
});
