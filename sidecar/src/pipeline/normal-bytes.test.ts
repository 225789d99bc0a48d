import { describe, expect, it } from '@jest/globals';
import { nfkcBytes } from '@tollgate/metering';
import { normalBytes } from './normal-bytes.ts';

const MiB = 1024 * 1024;

describe('the bytes of a body after NFKC', () => {
  it.each<readonly [string, Buffer]>([
    ['a short body', Buffer.from('{"content":"\ufdfa"}')],
    ['a long one', Buffer.alloc(21 * MiB + 5, 'a\ufdfa')],
    ['a long one of escapes', Buffer.alloc(21 * MiB + 3, '\\ufdfa')],
    ['a long one of backslashes', Buffer.alloc(17 * MiB, '\\\\u')],
  ])('of %s are the same in parts as in whole', async (_name, body) => {
    expect(await normalBytes(body)).toBe(nfkcBytes(body));
  });
});
