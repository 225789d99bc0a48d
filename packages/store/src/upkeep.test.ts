import { describe, expect, it } from '@jest/globals';
import type { Connection } from './connection.ts';
import { makeUpkeep } from './upkeep.ts';

/** Counts transactions; each finds nothing to do, and fails while told to. */
const scene = () => {
  let transactions = 0;
  let failing = false;
  let gate: Promise<unknown> = Promise.resolve();
  const transact: Connection['transact'] = async (work) => {
    transactions += 1;
    await gate;
    if (failing) throw new Error('no');
    return work({ query: () => Promise.resolve([]) });
  };
  const upkeep = makeUpkeep({ transact });
  const batches = (count: number): void => {
    for (let n = 0; n < count; n += 1) upkeep.afterBatch();
  };
  return {
    ...upkeep,
    batches,
    transactions: () => transactions,
    fail: (now: boolean) => {
      failing = now;
    },
    hold: (until: Promise<unknown>) => {
      gate = until;
    },
  };
};

describe('upkeep', () => {
  it('folds by itself after some hundred batches, and never twice at a time', async () => {
    const { batches, transactions, settled, hold } = scene();
    batches(255);
    expect(transactions()).toBe(0);
    const gate = Promise.withResolvers<undefined>();
    hold(gate.promise);
    batches(1_000);
    expect(transactions()).toBe(1);
    gate.resolve(undefined);
    await settled();
    // Usage, then charges.
    expect(transactions()).toBe(2);
  });

  it('harms no batch where it fails, and is tried again', async () => {
    const { batches, transactions, settled, fail } = scene();
    fail(true);
    batches(256);
    await settled();
    fail(false);
    batches(256);
    await settled();
    expect(transactions()).toBe(3);
  });

  it('tells its caller, when asked for, that it failed', async () => {
    const { tend, fail } = scene();
    await tend(0);
    fail(true);
    await expect(tend(0)).rejects.toThrow('no');
  });
});
