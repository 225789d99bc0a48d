import { describe, expect, it } from '@jest/globals';
import { listenUrl, parseListen } from './listen-address.ts';

describe('a listen address', () => {
  it.each([
    ['127.0.0.1:4100', { host: '127.0.0.1', port: 4100 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    [':4100', { host: '::', port: 4100 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
  ])('reads %s', (text, address) => {
    expect(parseListen(text)).toEqual(address);
  });

  it.each(['', '4100', '127.0.0.1', '127.0.0.1:', '127.0.0.1:65536', '::1:4100', 'http://a:1', 'a b:1', '[::1]4100'])(
    'refuses %j',
    (text) => {
      expect(parseListen(text)).toBeNull();
    },
  );

  it('is a URL again', () => {
    expect(listenUrl({ host: '::1', port: 1 })).toBe('http://[::1]:1');
    expect(listenUrl({ host: '127.0.0.1', port: 2 })).toBe('http://127.0.0.1:2');
  });
});
