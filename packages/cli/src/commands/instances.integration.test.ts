import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testIo } from '../testing/test-io.ts';

const CONNECTED = '{"error":{"code":"instance_connected","message":"this instance is connected"}}';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const [status, body] =
      request.url === '/v1/instances/shop%2F1/abandon?force=true' ? ([204, ''] as const) : ([409, CONNECTED] as const);
    response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`;
});
afterAll(() => void server.close());

describe('tollgate instances abandon', () => {
  const abandon = async (...more: string[]): Promise<{ code: number; err: string }> => {
    const io = testIo({ TOLLGATE_SERVER_URL: url });
    const code = await io.tollgate('instances', 'abandon', 'shop/1', '--reason', 'gone', ...more);
    return { code, err: io.err() };
  };

  it('fails for a proxy that is connected, and says what else there is', async () => {
    expect(await abandon()).toEqual({
      code: 1,
      err: expect.stringMatching(/this instance is connected\n {2}stop the proxy first.*--force\n$/),
    });
  });

  it('gives up on it by force', async () => {
    expect(await abandon('--force')).toEqual({ code: 0, err: 'abandoned shop/1\n' });
  });
});
