import { describe, expect, it } from '@jest/globals';
import { answerHeaders, requestHeaders } from './headers.ts';

/** Answers are read as they pass, so they are asked for unencoded. */
const UNENCODED = ['accept-encoding', 'identity'];

describe('headers that cross the proxy', () => {
  it('keeps what the caller and its SDK say, in the words they used', () => {
    const raw = [
      'Authorization',
      'Bearer k',
      'OpenAI-Organization',
      'o',
      'X-Stainless-Lang',
      'js',
      'anthropic-beta',
      'a',
      'Anthropic-Beta',
      'b',
    ];
    expect(requestHeaders(raw, null)).toEqual([...raw, ...UNENCODED]);
  });

  it.each([
    'Host',
    'Connection',
    'Transfer-Encoding',
    'Cookie',
    'Accept-Encoding',
    'X-Tollgate-Org',
    'X-Forwarded-For',
    'x-original-url',
    'X_User',
    'X-Portkey-Custom-Host',
    'Proxy-Authorization',
    'Expect',
  ])('drops %s from a request', (name) => {
    expect(requestHeaders([name, 'x', 'accept', '*/*'], null)).toEqual(['accept', '*/*', ...UNENCODED]);
  });

  it('puts its own credential in the place of all that the caller sent', () => {
    const raw = [
      'Authorization',
      'Bearer theirs',
      'x-api-key',
      'theirs',
      'api-key',
      'theirs',
      'X-Goog-Api-Key',
      'theirs',
      'accept',
      '*/*',
    ];
    expect(requestHeaders(raw, { name: 'x-api-key', value: 'ours' })).toEqual([
      'accept',
      '*/*',
      'x-api-key',
      'ours',
      ...UNENCODED,
    ]);
    // What callers of a gateway send there is theirs and ours alone, also where the backend wants no key.
    expect(requestHeaders(raw, null, true)).toEqual(['accept', '*/*', ...UNENCODED]);
  });

  it('drops cookies, framing and its own names from an answer, and keeps the rest', () => {
    const headers = [
      'Content-Type',
      'application/json',
      'set-cookie',
      'a=b',
      'Set-Cookie',
      'c=d',
      'Content-Length',
      '3',
      'X-Tollgate-Cost-Usd',
      '0',
      'x-ratelimit-remaining',
      '9',
      'vary',
      'a',
      'Connection',
      'close',
    ];
    expect(answerHeaders(headers)).toEqual([
      'Content-Type',
      'application/json',
      'x-ratelimit-remaining',
      '9',
      'vary',
      'a',
    ]);
  });
});
