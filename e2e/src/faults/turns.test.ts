import { describe, expect, it } from '@jest/globals';
import { makeTurns } from './turns.ts';

const gate = (): { readonly opened: Promise<void>; open(): void } => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns', () => {
  it('lets two run at once, and one that must be alone only after them', async () => {
    const turns = makeTurns();
    const [first, second] = [gate(), gate()];
    const ran: string[] = [];
    const enter = (name: string, isAlone: boolean, until: Promise<void> = Promise.resolve()): Promise<void> =>
      turns.take(isAlone, async () => {
        ran.push(name);
        await until;
      });
    const all = [
      enter('a', false, first.opened),
      enter('b', false, second.opened),
      enter('alone', true),
      enter('c', false),
    ];
    await settle();
    expect(ran).toEqual(['a', 'b']);
    first.open();
    await settle();
    // Whoever comes after it waits behind it, or it would wait for ever.
    expect(ran).toEqual(['a', 'b']);
    second.open();
    await Promise.all(all);
    expect(ran).toEqual(['a', 'b', 'alone', 'c']);
  });

  it('goes on after one that failed', async () => {
    const turns = makeTurns();
    await expect(turns.take(true, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turns.take(true, () => Promise.resolve(1))).toBe(1);
  });
});
