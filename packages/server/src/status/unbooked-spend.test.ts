import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CounterTerms } from '@tollgate/ledger/pool';
import { keptFor, makeUnbookedSpend, type UnbookedSpend } from './unbooked-spend.ts';

const DAY: CounterTerms = {
  budget: 'default/pool',
  limit: 'daily',
  partition: '',
  unit: 'cost',
  max: 1_000n,
  window: { id: 'day', start: 0, end: 86_400_000 },
  sliding: null,
};
const AT = { defined: 1_000, now: 1_000 };

describe('what new limits start from', () => {
  let time: number;
  let amount: bigint;
  let asked: string[];
  let seeds: UnbookedSpend;
  let answer: () => Promise<bigint>;
  beforeEach(() => {
    time = 0;
    amount = 5n;
    asked = [];
    answer = async () => amount;
    seeds = makeUnbookedSpend({
      seedOf: (terms) => {
        asked.push(`${terms.limit}@${terms.window.id}`);
        return answer();
      },
      monotonic: () => time,
      most: 2,
    });
  });
  const settled = async () => {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  };

  it('is asked for once in a while, however many look', async () => {
    expect(await Promise.all([seeds.of(DAY, AT), seeds.of(DAY, AT)])).toEqual([5n, 5n]);
    time = 29_999;
    amount = 9n;
    expect(await seeds.of(DAY, AT)).toBe(5n);
    expect(asked).toHaveLength(1);
    // Shown once more while the new one is read.
    time = 30_000;
    expect(await Promise.all([seeds.of(DAY, AT), seeds.of(DAY, AT)])).toEqual([5n, 5n]);
    await settled();
    expect(await seeds.of(DAY, AT)).toBe(9n);
    expect(asked).toHaveLength(2);
  });

  it('is waited for where the last answer is old', async () => {
    await seeds.of(DAY, AT);
    time = 60_000;
    amount = 9n;
    expect(await seeds.of(DAY, AT)).toBe(9n);
  });

  it('is asked for anew in another window, and under another definition', async () => {
    await seeds.of(DAY, AT);
    await seeds.of({ ...DAY, window: { ...DAY.window, id: 'next' } }, AT);
    await seeds.of(DAY, { ...AT, defined: 999 });
    expect(asked).toEqual(['daily@day', 'daily@next', 'daily@day']);
  });

  it('forgets the oldest where there are many', async () => {
    for (const limit of ['a', 'b', 'c', 'b', 'a']) await seeds.of({ ...DAY, limit }, AT);
    expect(asked).toEqual(['a@day', 'b@day', 'c@day', 'a@day']);
  });

  it('says that it could not be read, and asks again the next time', async () => {
    answer = () => Promise.reject(new Error('the database is away'));
    await expect(seeds.of(DAY, AT)).rejects.toThrow('the database is away');
    answer = async () => 7n;
    await settled();
    expect(await seeds.of(DAY, AT)).toBe(7n);
  });

  it('reads one at a time', async () => {
    const open: (() => void)[] = [];
    answer = () =>
      new Promise((resolve) => {
        open.push(() => {
          resolve(1n);
        });
      });
    const both = Promise.all([seeds.of(DAY, AT), seeds.of({ ...DAY, limit: 'other' }, AT)]);
    await settled();
    expect(asked).toEqual(['daily@day']);
    open[0]?.();
    await settled();
    expect(asked).toEqual(['daily@day', 'other@day']);
    open[1]?.();
    expect(await both).toEqual([1n, 1n]);
  });

  it.each([
    ['for half a minute', { took: 5, age: 0 }, 30_000],
    ['longer where it took long', { took: 10_000, age: 0 }, 200_000],
    ['longer where the limit is old', { took: 5, age: 86_400_000 }, 4_320_000],
  ])('is kept %s', (_how, reading, ms) => {
    expect(keptFor(reading)).toBe(ms);
  });
});
