import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { wordsOfCluster } from '../cluster/server/words.ts';
import { askServer } from './ask-server.ts';
import { metaOf, resourcesFrom } from './resources.ts';
import { usageFrom } from './usage.ts';

const ANSWERS: Readonly<Record<string, readonly [number, string]>> = {
  '/ok': [200, '{"a":1}'],
  '/text': [200, 'hello'],
  '/denied': [401, '{"error":{"code":"unauthenticated","message":"a valid bearer token is needed"}}'],
  '/forbidden': [403, '{"error":{"code":"forbidden","message":"only for those who look after it"}}'],
  '/done': [204, ''],
  '/nobody': [404, '{"error":{"code":"unknown_instance","message":"this instance never said hello"}}'],
  '/nothing': [404, '{"error":{"code":"unknown_request","message":"no charge is recorded under this id"}}'],
  '/elsewhere': [404, '{"error":{"code":"not_found","message":"nothing is served at GET of this path"}}'],
  '/page': [404, '<h1>Not Found</h1>'],
  '/login': [302, ''],
  '/foreign': [401, '{"detail":"who are you?"}'],
  '/proxy': [400, '{"error":{"code":"unboundable_request","message":"this path is not metered"}}'],
  '/broken': [500, 'it broke'],
  '/closed': [503, '{"error":{"code":"ledger_unavailable","message":"the database cannot be reached"}}'],
};

let server: Server;
let url: string;
let tokens: (string | undefined)[];
const told: string[] = [];
beforeAll(async () => {
  tokens = [];
  server = createServer((request, response) => {
    tokens.push(request.headers.authorization);
    let said = '';
    request.on('data', (piece: Buffer) => (said += piece.toString()));
    request.on('end', () => told.push(`${request.method ?? ''} ${said}`));
    const [status, body] = ANSWERS[request.url ?? ''] ?? [404, ''];
    response.writeHead(status, request.url === '/proxy' ? { 'x-tollgate-request-id': 'tg-1' } : {}).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`;
});
afterAll(() => void server.close());

const ask = (path: string, token: string | null = 't') => askServer({ url, token }, path);

describe('a question to the server', () => {
  it('carries the token, and is answered in JSON or by null where nothing has that name', async () => {
    expect(await ask('/ok')).toEqual({ a: 1 });
    expect(await ask('/nothing', null)).toBeNull();
    expect(tokens.slice(0, 2)).toEqual(['Bearer t', undefined]);
  });

  it('may tell it something, too', async () => {
    expect(await askServer({ url, token: 't' }, '/done', { reason: 'gone' })).toEqual({});
    expect(await askServer({ url, token: 't' }, '/nobody', { reason: 'gone' })).toBeNull();
    expect(told.slice(-2)).toEqual(['POST {"reason":"gone"}', 'POST {"reason":"gone"}']);
  });

  it('that fails says how and what to do, with an exit code for scripts', async () => {
    await expect(ask('/denied')).rejects.toMatchObject({ exitCode: 64, todo: expect.stringContaining('--state DIR') });
    await expect(ask('/broken')).rejects.toMatchObject({ exitCode: 1, message: 'the server answered 500: it broke' });
    await expect(ask('/closed')).rejects.toMatchObject({
      exitCode: 69,
      message: 'the server answered 503: the database cannot be reached',
    });
    await expect(askServer({ url: 'http://127.0.0.1:1', token: null }, '/')).rejects.toMatchObject({ exitCode: 69 });
  });

  it('that fails in a cluster says so of that cluster, and of the account in whose name it was asked', async () => {
    const account = { namespace: 'shop', name: 'default' };
    const words = wordsOfCluster({
      namespace: 'tollgate-system',
      deployment: 'tollgate-server',
      account,
      audience: 'tollgate-management',
    });
    const inCluster = (path: string) => askServer({ url, token: 't', words }, path);
    await expect(inCluster('/denied')).rejects.toMatchObject({
      exitCode: 64,
      message:
        'the server of the cluster (deployment/tollgate-server -n tollgate-system) does not accept a token of ServiceAccount shop/default',
      todo: expect.stringContaining('audience tollgate-management'),
    });
    await expect(inCluster('/forbidden')).rejects.toMatchObject({
      message: expect.stringMatching(/refuses this to ServiceAccount shop\/default: only for those who look after it$/),
      todo: 'that is for accounts of namespace tollgate-system: leave -n out',
    });
    await expect(inCluster('/broken')).rejects.toMatchObject({
      todo: 'its log says more: kubectl logs -n tollgate-system deployment/tollgate-server',
    });
    await expect(askServer({ url: 'http://127.0.0.1:1', token: 't', words }, '/')).rejects.toMatchObject({
      exitCode: 69,
      message: 'the server of the cluster (deployment/tollgate-server -n tollgate-system) does not answer',
      todo: expect.stringContaining('kubectl tollgate check'),
    });
  });
});

describe('something else that answers', () => {
  it.each(['/text', '/page', '/elsewhere', '/login', '/foreign', '/proxy'])(
    'is told from a Tollgate server by %s',
    async (path) => {
      await expect(ask(path)).rejects.toMatchObject({
        exitCode: 64,
        message: `${url} answers, but is not a Tollgate server`,
      });
    },
  );
});

describe('the doors for answers', () => {
  it('take resources plain or beside their figures', () => {
    const plain = { metadata: { name: 'a' } };
    expect(resourcesFrom({ routes: [plain] })).toEqual([plain]);
    expect(resourcesFrom({ budgets: [{ columns: {}, resource: plain }] })).toEqual([plain]);
    expect(metaOf(plain)).toEqual({ namespace: 'default', name: 'a' });
  });

  it('refuse anything else', () => {
    for (const other of [null, 5, {}, { routes: 5 }, { routes: [{}] }, { routes: [{ metadata: {} }] }])
      expect(() => resourcesFrom(other)).toThrow('list of resources');
    for (const other of [null, {}, { rows: [5] }, { rows: [{ key: 1 }] }, { rows: [{ key: 'a', charged: 'x' }] }])
      expect(() => usageFrom(other)).toThrow('did not answer with usage');
  });
});
