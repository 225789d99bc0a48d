import { describe, expect, it } from '@jest/globals';
import { excessOver, mostInSeconds } from './write-rate.ts';

/** So many in each second, from 100 s on. */
const perSecond = (...counts: readonly number[]): readonly number[] =>
  counts.flatMap((count, index) => Array.from({ length: count }, () => (100 + index) * 1_000));

describe('the most in a row of seconds', () => {
  it.each([
    { counts: [], seconds: 1, most: 0 },
    { counts: [5], seconds: 1, most: 5 },
    { counts: [3, 20, 4], seconds: 1, most: 20 },
    { counts: [3, 20, 4, 1], seconds: 2, most: 24 },
    { counts: [7, 0, 0, 7], seconds: 3, most: 7 },
    { counts: [7, 0, 0, 7], seconds: 4, most: 14 },
  ])('of $counts in $seconds s is $most', ({ counts, seconds, most }) => {
    expect(mostInSeconds(perSecond(...counts), seconds)).toBe(most);
  });
});

describe('what exceeds a rate', () => {
  it.each([
    { what: 'nothing at all', counts: [], excess: 0 },
    { what: 'the rate, for however long', counts: Array.from({ length: 90 }, () => 20), excess: 0 },
    { what: 'one too many in one second', counts: [0, 21, 0], excess: 1 },
    { what: 'a little too many, for long', counts: Array.from({ length: 30 }, () => 21), excess: 30 },
    { what: 'too many, and too few before and after', counts: [2, 30, 25, 2], excess: 15 },
  ])('is $excess for $what', ({ counts, excess }) => {
    expect(excessOver(perSecond(...counts), 20)).toBe(excess);
  });
});
