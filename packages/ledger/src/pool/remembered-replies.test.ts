import { describe, expect, it } from '@jest/globals';
import { makeRememberedReplies } from './remembered-replies.ts';

describe('remembered replies', () => {
  it('keep the last of each instance, and refuse what fell out', () => {
    const replies = makeRememberedReplies<string>(2);
    for (const seq of [1, 2, 3]) replies.keep('a', seq, 'x', `reply ${String(seq)}`);
    expect(replies.find('a', 3, 'x')).toBe('reply 3');
    expect(replies.find('a', 2, 'x')).toBe('reply 2');
    expect(() => replies.find('a', 1, 'x')).toThrow('no longer remembered');
    expect(replies.find('a', 4, 'x')).toBeUndefined();
    expect(replies.find('b', 1, 'x')).toBeUndefined();
  });

  it('refuse a number that stood for something else', () => {
    const replies = makeRememberedReplies<string>(2);
    replies.keep('a', 1, 'x', 'reply');
    expect(() => replies.find('a', 1, 'y')).toThrow('another request');
    replies.forget('a');
    expect(replies.find('a', 1, 'y')).toBeUndefined();
  });
});
