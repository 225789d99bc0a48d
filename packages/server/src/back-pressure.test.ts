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

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('back-pressure', () => {
  it('refuses what has no slot, and keeps the slot of work that it gave up on until that ends', async () => {
    const { timers, passed } = later();
    const slots = makeSlots({ most: 1, waiting: 0, withinMs: 10, timers });
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
    await settled();
    await expect(slots.run(() => Promise.resolve(2))).resolves.toBe(2);
    await settled();
    await expect(slots.run(() => Promise.reject(new Error('of the work')))).rejects.toThrow('of the work');
    await settled();
    await expect(slots.run(() => Promise.resolve(3))).resolves.toBe(3);
  });

  it('lets a few wait in line, and begins nothing for those who waited too long', async () => {
    const { timers, passed } = later();
    const slots = makeSlots({ most: 1, waiting: 2, withinMs: 10, timers });
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const ask = (name: string): Promise<void> =>
      slots.run(() => {
        begun.push(name);
        return new Promise((resolve) => ends.push(resolve));
      });
    const [first, second] = [ask('first'), ask('second')];
    const third = ask('third');
    expect(() => ask('fourth')).toThrow(/enough to do/);
    ends[0]?.();
    await first;
    await settled();
    expect(begun).toEqual(['first', 'second']);
    passed();
    await expect(third).rejects.toMatchObject({ reason: 'backpressure_slow' });
    await expect(second).rejects.toMatchObject({ reason: 'backpressure_slow' });
    ends[1]?.();
    await settled();
    expect(begun).toEqual(['first', 'second']);
    const last = ask('last');
    ends[2]?.();
    await last;
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
