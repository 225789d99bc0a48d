import { describe, expect, it } from '@jest/globals';
import { makeProxyFor } from './proxy-env.ts';

describe('HTTP(S)_PROXY and NO_PROXY', () => {
  const proxyFor = makeProxyFor({
    http: 'http://plain:1',
    https: 'http://secure:2',
    no: 'internal.example, .corp.example,*.dev.example,exact.example:8443',
  });

  it.each([
    ['https://api.openai.com', 'http://secure:2'],
    ['http://vllm.example', 'http://plain:1'],
    ['http://127.0.0.1:4199', null],
    ['http://localhost:11434', null],
    ['https://internal.example', null],
    ['https://a.internal.example', null],
    ['https://notinternal.example', 'http://secure:2'],
    ['https://x.corp.example', null],
    ['https://x.dev.example', null],
    ['https://exact.example:8443', null],
    ['https://exact.example', 'http://secure:2'],
  ])('%s goes by %s', (origin, expected) => {
    expect(proxyFor(origin)).toBe(expected);
  });

  it('goes direct everywhere for NO_PROXY=*, and where no proxy is set', () => {
    expect(makeProxyFor({ http: 'http://p', https: 'http://p', no: '*' })('https://api.openai.com')).toBeNull();
    expect(makeProxyFor({ http: null, https: null, no: null })('https://api.openai.com')).toBeNull();
  });
});
