import { describe, expect, it } from '@jest/globals';
import { makeDice } from '../testing/dice.ts';
import { FAULTS, ROWS } from './matrix.ts';
import { schedule } from './schedule.ts';

const first = (count: number, seed: number): readonly string[] => {
  const order = schedule(FAULTS, makeDice(seed));
  return Array.from({ length: count }, () => order.next().value?.name ?? '');
};

describe('the schedule of faults', () => {
  it('is the same for the same seed', () => {
    expect(first(200, 7)).toEqual(first(200, 7));
    expect(first(200, 7)).not.toEqual(first(200, 8));
  });

  it('meets every row before any row again', () => {
    const order = schedule(FAULTS, makeDice(3));
    const rows = Array.from({ length: ROWS.size }, () => order.next().value?.row);
    expect(new Set(rows)).toEqual(new Set(ROWS.keys()));
  });

  it('meets every fault in the end', () => {
    const most = Math.max(...[...ROWS.keys()].map((row) => FAULTS.filter((fault) => fault.row === row).length));
    expect(new Set(first(most * ROWS.size, 5))).toEqual(new Set(FAULTS.map(({ name }) => name)));
  });
});

describe('the matrix', () => {
  it('has a fault for every row, and no fault without a row', () => {
    expect(new Set(FAULTS.map(({ row }) => row))).toEqual(new Set(ROWS.keys()));
  });

  it('has a row in either lane', () => {
    expect(new Set(FAULTS.map(({ lane }) => lane))).toEqual(new Set(['edge', 'centre']));
  });
});
