import { expect, it } from '@jest/globals';
import { makeJointOverdrafts } from './overdraft-terms.ts';

it('of several callers, each budget lends once, until the last of its callers is gone', () => {
  const set: (readonly string[])[] = [];
  const join = makeJointOverdrafts((terms) => set.push(terms.map(({ budget }) => budget)));
  const term = (budget: string) => ({ budget, amount: 1n, maxDurationMs: 1 });
  join('own', []);
  join('a', [term('shop/x'), term('shop/y')]);
  join('b', [term('shop/y')]);
  join('a', []);
  join('b', []);
  expect(set).toEqual([['shop/x', 'shop/y'], ['shop/x', 'shop/y'], ['shop/y'], []]);
});
