import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { counterKeyOf, parseCounterKey } from './counter-key.ts';

describe('the key of a counter', () => {
  it('tells its name and window again, whatever characters they hold', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, text, (budget, limit, partition, windowId) => {
        const key = counterKeyOf({ budget, limit, partition }, windowId);
        expect(parseCounterKey(key)).toEqual({ budget, limit, partition, windowId });
      }),
    );
  });

  it('is nothing else', () => {
    for (const other of ['{}', '[]', '["a","b","c"]', '["a","b","c",4]', '["a","b","c","d","e"]'])
      expect(() => parseCounterKey(other)).toThrow('not the key of a counter');
  });
});
