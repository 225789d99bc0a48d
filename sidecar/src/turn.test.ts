import { describe, expect, it } from '@jest/globals';
import { makeTurn } from './turn.ts';

describe('the end of a turn', () => {
  it('runs all that was asked for in a turn at its end, in that order', () => {
    const ends: (() => void)[] = [];
    const done: string[] = [];
    const turn = makeTurn((end) => void ends.push(end));
    for (const what of ['first', 'second']) turn.atEnd(() => void done.push(what));
    expect(done).toEqual([]);
    expect(ends).toHaveLength(1);
    ends[0]?.();
    expect(done).toEqual(['first', 'second']);
  });

  it('leaves what is asked for at the end of a turn to the end of the next', () => {
    const ends: (() => void)[] = [];
    const done: string[] = [];
    const turn = makeTurn((end) => void ends.push(end));
    turn.atEnd(() => {
      turn.atEnd(() => void done.push('next'));
    });
    ends[0]?.();
    expect(done).toEqual([]);
    ends[1]?.();
    expect(done).toEqual(['next']);
  });
});
