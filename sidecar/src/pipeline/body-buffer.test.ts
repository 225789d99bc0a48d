import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeBodyBuffer } from './body-buffer.ts';

describe('a body that arrives in pieces', () => {
  it('is whole at the end, however it was cut and whatever was announced', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 50 }));
    fc.assert(
      fc.property(pieces, fc.nat({ max: 500 }), (parts, most) => {
        const chunks = parts.map((part) => Buffer.from(part));
        const body = makeBodyBuffer(most);
        for (const chunk of chunks) body.push(chunk);
        expect(body.whole().equals(Buffer.concat(chunks))).toBe(true);
      }),
    );
  });

  it('in one piece is that piece', () => {
    const body = makeBodyBuffer(100);
    const chunk = Buffer.from('{}');
    body.push(chunk);
    expect(body.whole()).toBe(chunk);
  });

  it('takes no more memory than was announced, nor much more than has come', () => {
    const body = makeBodyBuffer(1_000_000);
    body.push(Buffer.alloc(1000));
    body.push(Buffer.alloc(1000));
    expect(body.whole().buffer.byteLength).toBe(4000);
    const exact = makeBodyBuffer(2000);
    exact.push(Buffer.alloc(1000));
    exact.push(Buffer.alloc(1000));
    expect(exact.whole().buffer.byteLength).toBe(2000);
  });
});
