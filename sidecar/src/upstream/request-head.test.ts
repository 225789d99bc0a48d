import { expect, it } from '@jest/globals';
import { headWriter } from './request-head.ts';

const direct = headWriter({ targetPrefix: '', host: 'api.example:8080', proxyAuthorization: null });
const request = {
  method: 'POST',
  path: '/v1/x?y',
  headers: ['Content-Type', 'application/json'],
  body: [Buffer.from('ab'), Buffer.from('c')],
};

it('writes a request as it goes out', () => {
  expect(direct(request)).toBe(
    'POST /v1/x?y HTTP/1.1\r\nhost: api.example:8080\r\nconnection: keep-alive\r\nContent-Type: application/json\r\ncontent-length: 3\r\n\r\n',
  );
  expect(direct({ ...request, body: [] })).toContain('content-length: 0\r\n');
  expect(direct({ ...request, method: 'GET', headers: [], body: [] })).toBe(
    'GET /v1/x?y HTTP/1.1\r\nhost: api.example:8080\r\nconnection: keep-alive\r\n\r\n',
  );
});

it('names the whole target, and who is there, to a proxy', () => {
  const proxied = headWriter({
    targetPrefix: 'http://api.example',
    host: 'api.example',
    proxyAuthorization: 'Basic eA==',
  });
  expect(proxied(request)).toMatch(/^POST http:\/\/api\.example\/v1\/x\?y HTTP\/1\.1\r\n/);
  expect(proxied(request)).toContain('\r\nproxy-authorization: Basic eA==\r\n');
});

it.each([
  ['a header with a line of its own', { headers: ['x-api-key', 'a\r\nx-other: b'] }],
  ['a header with a character that is no byte', { headers: ['x-api-key', 'snow\u2603'] }],
  ['a path with a space', { path: '/v1/models/a b' }],
  ['a path with a line of its own', { path: '/v1 HTTP/1.1\r\nhost: evil' }],
])('refuses %s', (_what, change) => {
  expect(direct({ ...request, ...change })).toBeNull();
});
