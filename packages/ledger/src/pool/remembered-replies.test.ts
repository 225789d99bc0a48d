import { describe, expect, it } from '@jest/globals';
import { findReply, keepReply, makeRememberedReplies } from './remembered-replies.ts';

const SIZE = 2;

describe('remembered replies', () => {
  it('are those of the last numbers, and what fell out is refused', () => {
    const memory = makeRememberedReplies<string>();
    for (const seq of [1, 2, 3]) keepReply(memory, { seq, asked: 'x' }, `reply ${String(seq)}`, SIZE);
    const find = (seq: number) => findReply(memory, { seq, asked: 'x' }, SIZE);
    expect(find(3)).toEqual({ reply: 'reply 3' });
    expect(find(2)).toEqual({ reply: 'reply 2' });
    expect(find(1)).toBe('too_old');
    expect(find(4)).toBeNull();
    expect(memory.replies.size).toBe(SIZE);
  });

  it('stay few when numbers are skipped, and keep one that comes late', () => {
    const memory = makeRememberedReplies<string>();
    for (const seq of [1, 2, 100, 99]) keepReply(memory, { seq, asked: 'x' }, 'reply', SIZE);
    expect([...memory.replies.keys()]).toEqual([100, 99]);
    expect(findReply(memory, { seq: 98, asked: 'x' }, SIZE)).toBe('too_old');
  });

  it('refuse a number that stood for something else', () => {
    const memory = makeRememberedReplies<string>();
    keepReply(memory, { seq: 1, asked: 'x' }, 'reply', SIZE);
    expect(findReply(memory, { seq: 1, asked: 'y' }, SIZE)).toBe('reused');
  });
});
