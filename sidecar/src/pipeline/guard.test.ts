import { describe, expect, it } from '@jest/globals';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { LOOPBACK_HOSTS, guard } from './guard.ts';
import type { Exchange } from '../exchange.ts';

const requestOf = (
  headers: readonly (readonly [string, string])[],
  { url = '/v1/models', method = 'GET', minor = 1 } = {},
): IncomingMessage => {
  const req = new IncomingMessage(new Socket());
  req.url = url;
  req.method = method;
  req.httpVersionMinor = minor;
  for (const [name, value] of headers) {
    req.rawHeaders.push(name, value);
    req.headers[name.toLowerCase()] ??= value;
  }
  return req;
};

const verdict = (req: IncomingMessage, allowedHosts: ReadonlySet<string> | null = LOOPBACK_HOSTS): string => {
  const outcome = guard({ allowedHosts })({ req } as Exchange);
  if (outcome === undefined) return 'passes';
  if (outcome === 'answered' || outcome instanceof Promise) throw new Error('the guard answers at once');
  return `${String(outcome.status)} ${outcome.code}`;
};

const host = ['Host', '127.0.0.1:4100'] as const;

describe('the guard of the port', () => {
  it.each([
    ['a loopback address', '127.0.0.1:4100', 'passes'],
    ['localhost in any case', 'LocalHost:4100', 'passes'],
    ['the IPv6 loopback', '[::1]:4100', 'passes'],
    ['a name that was rebound to loopback', 'evil.example:4100', '403 forbidden_origin'],
    ['a name that only starts like loopback', '127.0.0.1.evil.example', '403 forbidden_origin'],
    ['no host at all', 'a b', '403 forbidden_origin'],
  ])('given %s as Host, says %s → %s', (_what, value, expected) => {
    expect(verdict(requestOf([['Host', value]]))).toBe(expected);
  });

  it('lets any Host through where the process serves others', () => {
    expect(verdict(requestOf([['Host', 'gateway.example']]), null)).toBe('passes');
  });

  it.each([
    ['Sec-Fetch-Site', 'cross-site', '403 forbidden_origin'],
    ['Sec-Fetch-Site', 'same-site', '403 forbidden_origin'],
    ['Sec-Fetch-Site', 'same-origin', 'passes'],
    ['Sec-Fetch-Site', 'none', 'passes'],
    ['Origin', 'https://evil.example', '403 forbidden_origin'],
    ['Origin', 'null', '403 forbidden_origin'],
    ['Origin', 'http://localhost:3000', 'passes'],
    ['Connection', 'authorization, x-tollgate-org', '400 bad_request'],
    ['Connection', 'Keep-Alive, TE', 'passes'],
    ['Expect', 'something', '417 bad_request'],
    ['Expect', '100-Continue', 'passes'],
    ['Content-Type', 'text/plain;charset=utf-8', '415 unsupported_media_type'],
    ['Content-Type', 'application/x-www-form-urlencoded', '415 unsupported_media_type'],
    ['Content-Type', 'multipart/form-data; boundary=x', 'passes'],
  ])('given %s: %s answers %s', (name, value, expected) => {
    expect(verdict(requestOf([host, [name, value]]))).toBe(expected);
  });

  it.each(['Authorization', 'X-Api-Key', 'Host', 'Content-Type'])('refuses %s sent twice', (name) => {
    expect(verdict(requestOf([host, [name, '127.0.0.1'], [name.toLowerCase(), 'other']]))).toBe('400 ambiguous_header');
  });

  it('refuses more headers than it will look at', () => {
    const many = Array.from({ length: 101 }, (_, i) => [`x-${String(i)}`, '1'] as const);
    expect(verdict(requestOf([host, ...many]))).toBe('431 headers_too_large');
  });

  it('refuses a chunked body under HTTP/1.0', () => {
    expect(verdict(requestOf([host, ['Transfer-Encoding', 'chunked']], { minor: 0 }))).toBe('400 bad_request');
  });

  it.each([
    ['TRACE', '/', '405 method_not_allowed'],
    ['GET', 'http://evil.example/v1/models', '400 bad_request'],
    ['OPTIONS', '*', '400 bad_request'],
  ])('refuses %s %s', (method, url, expected) => {
    expect(verdict(requestOf([host], { method, url }))).toBe(expected);
  });
});
