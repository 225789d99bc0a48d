import { expect, it } from '@jest/globals';
import { billsFrom } from './provider-log.ts';

it('adds up what each gate was billed, and nothing that was free or nobody’s', () => {
  const log = [
    { label: 'a', billedNano: '9007199254740993' },
    { label: 'b', billedNano: '5' },
    { label: 'a', billedNano: '2' },
    { label: 'a', status: 429 },
    { billedNano: '7' },
  ];
  expect([...billsFrom(log.map((call) => `${JSON.stringify(call)}\n`).join(''))]).toEqual([
    ['a', { calls: 2, billed: 9_007_199_254_740_995n }],
    ['b', { calls: 1, billed: 5n }],
  ]);
  expect(billsFrom('').size).toBe(0);
  expect(billsFrom('null\n').size).toBe(0);
});
