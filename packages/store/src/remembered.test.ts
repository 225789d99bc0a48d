import { describe, expect, it } from '@jest/globals';
import { makeRemembered } from './remembered.ts';

const wanted = (...keys: readonly string[]) => new Map(keys.map((key) => [key, key]));
const scene = (most: number) => {
  const asked: string[][] = [];
  let hold: Promise<unknown> = Promise.resolve();
  const remembered = makeRemembered<string, string>({
    most,
    ask: async (missing) => {
      asked.push([...missing.keys()]);
      await hold;
      return new Map([...missing.keys()].filter((key) => key !== 'none').map((key) => [key, key.toUpperCase()]));
    },
  });
  return {
    ...remembered,
    asked,
    holdUntil: (until: Promise<unknown>) => {
      hold = until;
    },
  };
};

describe('what is remembered', () => {
  it('is asked for once', async () => {
    const { find, asked } = scene(10);
    expect([...(await find(wanted('a', 'b')))]).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ]);
    expect(await find(wanted('b', 'c'))).toEqual(
      new Map([
        ['b', 'B'],
        ['c', 'C'],
      ]),
    );
    expect(await find(wanted('a'))).toEqual(new Map([['a', 'A']]));
    expect(asked).toEqual([['a', 'b'], ['c']]);
  });

  it('makes room for more, and still answers all of what was wanted', async () => {
    const { find, asked } = scene(2);
    await find(wanted('a', 'b'));
    expect(await find(wanted('a', 'b', 'c'))).toEqual(
      new Map([
        ['a', 'A'],
        ['b', 'B'],
        ['c', 'C'],
      ]),
    );
    await find(wanted('a'));
    expect(asked).toEqual([['a', 'b'], ['c'], ['a']]);
  });

  it('is gone once forgotten, also what was being asked for meanwhile; but whoever asked is answered', async () => {
    const { find, forget, asked, holdUntil } = scene(10);
    await find(wanted('a'));
    const gate = Promise.withResolvers<undefined>();
    holdUntil(gate.promise);
    const slow = find(wanted('a', 'b'));
    forget();
    gate.resolve(undefined);
    expect(await slow).toEqual(
      new Map([
        ['a', 'A'],
        ['b', 'B'],
      ]),
    );
    await find(wanted('b'));
    expect(asked).toEqual([['a'], ['b'], ['b']]);
  });

  it('lacks what nobody knows, and asks for it again', async () => {
    const { find, asked } = scene(10);
    expect(await find(wanted('none'))).toEqual(new Map());
    await find(wanted('none'));
    expect(asked).toHaveLength(2);
  });
});
