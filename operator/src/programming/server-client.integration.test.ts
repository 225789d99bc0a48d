import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeServerClient } from './server-client.ts';

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly body: unknown;
}

const closings: (() => void)[] = [];
afterEach(() => closings.splice(0).forEach((close) => close()));

/** A server that answers everything alike, over real HTTP. */
const aServer = async (status: number, body: string, delayMs = 0) => {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    void text(request).then((sent) => {
      const { method, url, headers } = request;
      asked.push({ method, url, token: headers.authorization, body: sent === '' ? null : JSON.parse(sent) });
      setTimeout(() => response.writeHead(status, { 'content-type': 'application/json' }).end(body), delayMs).unref();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  let tokens = 0;
  const client = makeServerClient({
    url: `http://127.0.0.1:${port}`,
    token: () => `token-${(tokens += 1)}`,
    timeoutMs: 300,
    fetch,
  });
  return { asked, client };
};

const EMPTY = { budgets: [], routes: [], inferenceServices: [], namespaces: {} };

describe('the client of the server', () => {
  it('puts the whole set with the token of the moment, and takes the version', async () => {
    const { asked, client } = await aServer(200, '{"version":"v1"}');
    expect(await client.putResources(EMPTY)).toBe('v1');
    await client.putPods([]);
    expect(asked).toEqual([
      { method: 'PUT', url: '/v1/resources', token: 'Bearer token-1', body: EMPTY },
      { method: 'PUT', url: '/v1/pods', token: 'Bearer token-2', body: { pods: [] } },
    ]);
  });

  it('passes on what the server found wrong, and where', async () => {
    const faults = [{ path: 'budgets[0].spec', message: 'is odd' }];
    const { client } = await aServer(
      422,
      JSON.stringify({ error: { code: 'invalid_resources', message: 'no', faults } }),
    );
    await expect(client.putResources(EMPTY)).rejects.toMatchObject({
      status: 422,
      reason: 'invalid_resources',
      faults,
      isFinal: true,
    });
  });

  it.each([
    ['a server error in HTML', 502, '<html>', { status: 502, reason: 'unexpected', isFinal: false }],
    ['a refused token', 403, '{"error":{"code":"forbidden","message":"no"}}', { status: 403, isFinal: false }],
    ['another program', 200, '{"hello":1}', { status: 200, reason: 'unexpected', isFinal: false }],
    ['a redirect', 302, '', { status: 302, reason: 'unexpected' }],
  ])('tells %s for what it is', async (_title, status, body, fault) => {
    const { client } = await aServer(status, body);
    await expect(client.budgets()).rejects.toMatchObject(fault);
  });

  it('reads an answer again only where it is another by then', async () => {
    const answers = [
      [200, '"one"', '{"asOf":"1","budgets":[]}'],
      [304, '"one"', ''],
      [200, '"two"', '{"asOf":"2","budgets":[]}'],
      [200, null, '{"asOf":"3","budgets":[]}'],
      [200, null, '{"asOf":"4","budgets":[]}'],
    ] as const;
    const known: (string | null)[] = [];
    const client = makeServerClient({
      url: 'http://server',
      token: () => 'token',
      timeoutMs: 300,
      fetch: async (_url, init) => {
        const [status, tag, body] = answers[known.length] ?? [500, null, ''];
        known.push(new Headers(init?.headers).get('if-none-match'));
        return new Response(status === 304 ? null : body, { status, headers: tag === null ? {} : { etag: tag } });
      },
    });
    const first = await client.budgets();
    expect(await client.budgets()).toBe(first);
    expect([await client.budgets(), await client.budgets(), await client.budgets()].map(({ asOf }) => asOf)).toEqual([
      '2',
      '3',
      '4',
    ]);
    expect(known).toEqual([null, '"one"', '"one"', '"two"', null]);
  });

  it('gives up on a server that does not answer', async () => {
    const { client } = await aServer(200, '{}', 60_000);
    await expect(client.routes()).rejects.toMatchObject({ status: null, reason: 'unreachable' });
  });

  it('reads the amounts of a view exactly, and lets be what it does not know', async () => {
    const view = {
      columns: { reason: 'Enforcing', more: 1 },
      limits: [
        {
          name: 'daily',
          percent: 100,
          max: '9007199254740991',
          spent: '9007199254740990',
          remaining: '1',
          windowStart: 0,
          resetAt: null,
          partition: '',
          novel: true,
        },
      ],
      resource: { metadata: { namespace: 'a', name: 'b' }, status: { asOf: 'x', summary: {}, limits: [] } },
    };
    const { client } = await aServer(200, JSON.stringify({ asOf: 'x', budgets: [view] }));
    const { budgets } = await client.budgets();
    expect(budgets[0]?.limits[0]).toMatchObject({ max: 9007199254740991n, spent: 9007199254740990n });
  });
});
