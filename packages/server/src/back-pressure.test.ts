import { describe, expect, it } from '@jest/globals';
import { makeByteBudget, makeOneEach, makeSlots } from './back-pressure.ts';

const later = () => {
  const due: (() => void)[] = [];
  return {
    timers: {
      after: (_ms: number, act: () => void) => {
        due.push(act);
        return () => undefined;
      },
    },
    passed: () => {
      for (const act of due.splice(0)) act();
    },
  };
};

describe('back-pressure', () => {
  it('refuses what has no slot, and keeps the slot of work that it gave up on until that ends', async () => {
    const { timers, passed } = later();
    const slots = makeSlots({ most: 1, withinMs: 10, timers });
    let end = (_value: string): void => undefined;
    const slow = slots.run(() => new Promise<string>((resolve) => (end = resolve)));
    expect(() => slots.run(() => Promise.resolve(1))).toThrow(/enough to do/);
    passed();
    await expect(slow).rejects.toMatchObject({
      status: 503,
      code: 'ledger_backpressure',
      reason: 'backpressure_slow',
      retryAfterSeconds: 1,
    });
    expect(() => slots.run(() => Promise.resolve(1))).toThrow(/enough to do/);
    end('done');
    await Promise.resolve().then(() => undefined);
    await expect(slots.run(() => Promise.resolve(2))).resolves.toBe(2);
    await expect(slots.run(() => Promise.reject(new Error('of the work')))).rejects.toThrow('of the work');
    await expect(slots.run(() => Promise.resolve(3))).resolves.toBe(3);
  });

  it('lets one of each name in', () => {
    const each = makeOneEach();
    const leave = each.enter('a');
    each.enter('b');
    expect(() => each.enter('a')).toThrow(/enough/);
    leave();
    each.enter('a');
  });

  it('counts bytes until they are given back, once', () => {
    const bytes = makeByteBudget(10);
    const giveBack = bytes.take(6);
    expect(() => bytes.take(5)).toThrow(/enough/);
    giveBack();
    giveBack();
    bytes.take(10);
    expect(() => bytes.take(1)).toThrow(/enough/);
  });
});
