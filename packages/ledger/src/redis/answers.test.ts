import { describe, expect, it } from '@jest/globals';
import { amountOf, countersIn, drainsIn, grantsIn, listOf, readAnswer } from './answers.ts';

const KEY = '["team/pool","daily","","day"]';

describe('answers of the functions', () => {
  it('are taken apart', () => {
    expect(readAnswer(['short', '1795219200000', '7', '5'])).toEqual({
      kind: 'short',
      now: 1_795_219_200_000,
      changes: 7,
      rest: ['5'],
    });
    expect(grantsIn('[["day","0","","5","9007199254740991"]]')).toEqual([
      { window: { id: 'day', start: 0, end: null }, amount: 5n, left: 9_007_199_254_740_991n },
    ]);
    expect(countersIn([KEY, '86400000', '-5', '7'])).toEqual([
      { key: KEY, windowEnd: 86_400_000, pooled: -5n, leased: 7n },
    ]);
    expect(drainsIn(['d1', JSON.stringify([[KEY, '3']])])).toEqual([
      { id: 'd1', returns: [{ budget: 'team/pool', limit: 'daily', partition: '', windowId: 'day', amount: 3n }] },
    ]);
  });

  it('that are none are no answer at all', () => {
    for (const strange of [
      () => readAnswer('PONG'),
      () => readAnswer(['short', 5, '7']),
      () => amountOf('1e3'),
      () => amountOf('12345678901234567'),
      () => grantsIn('[['),
      () => grantsIn('[["day"]]'),
      () => listOf({}),
      () => countersIn([KEY]),
    ])
      expect(strange).toThrow('not the pool of this version');
  });
});
