import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeRanges, deliver, encodeRanges, isDelivered, type Delivered } from './delivered.ts';

const NONE: Delivered = { acked: 0, ahead: [] };

describe('what an instance has delivered', () => {
  it('is acknowledged up to the first gap, and past it once the gap is closed', () => {
    const gap = deliver(NONE, [3, 2, 7]);
    expect(gap).toEqual({
      acked: 0,
      ahead: [
        [2, 4],
        [7, 8],
      ],
    });
    expect(deliver(gap, [1])).toEqual({ acked: 3, ahead: [[7, 8]] });
    expect(deliver(gap, [5, 1, 6, 4])).toEqual({ acked: 7, ahead: [] });
  });

  it('is a set, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 })), (batches) => {
        const model = new Set<number>();
        let state = NONE;
        for (const batch of batches) {
          const fresh = [...new Set(batch)].filter((seq) => !isDelivered(state, seq));
          expect(fresh).toEqual([...new Set(batch)].filter((seq) => !model.has(seq)));
          for (const seq of fresh) model.add(seq);
          state = deliver(state, fresh);
          expect(decodeRanges(encodeRanges(state.ahead))).toEqual(state.ahead);
          for (let seq = 1; seq <= 62; seq += 1) expect(isDelivered(state, seq)).toBe(model.has(seq));
          expect(model.has(state.acked + 1)).toBe(false);
        }
      }),
    );
  });
});
