/** Bad input, second theme: headers that say who calls, who pays and where to go (reliability.md 4.3). */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRaw, startRawUpstream, type RawUpstream } from '@tollgate/testkit';
import { aBackend, aRule, aSnapshot, aSnapshotRoute } from '../testing/objects.ts';
import { aChat, callJson } from '../testing/call.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { CHAT_PATH, rawCall } from '../testing/raw-call.ts';

const ANSWER =
  '{"id":"x","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}';

let harness: Harness;
let upstream: RawUpstream;

beforeAll(async () => {
  upstream = await startRawUpstream(async ({ write }) => {
    await write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${String(ANSWER.length)}\r\n\r\n${ANSWER}`,
    );
  });
  const platform = aBackend({ name: 'platform', credential: { name: 'platform-key', key: 'api-key' } });
  harness = await startHarness({
    snapshot: aSnapshot({ routes: [aSnapshotRoute({ rules: [aRule({ models: ['gpt-4o'], backends: [platform] })] })] }),
    upstream: upstream.url,
    env: { TOLLGATE_SECRET_PLATFORM_KEY_API_KEY: 'sk-platform' },
  });
});

afterAll(async () => {
  await harness.stop();
  await upstream.stop();
});

/** What the provider received, as it stood on the wire. */
const received = async (bytes: Buffer): Promise<string> => {
  const before = upstream.requests.length;
  const answer = await sendRaw(harness.url, bytes);
  expect([answer.status, answer.body.toString()]).toEqual([200, ANSWER]);
  expect(upstream.requests).toHaveLength(before + 1);
  return upstream.requests[before] ?? '';
};

const headerNames = (request: string): string[] =>
  (request.split('\r\n\r\n')[0] ?? '')
    .split('\r\n')
    .slice(1)
    .map((line) => line.slice(0, line.indexOf(':')).toLowerCase());

describe('headers that say who calls', () => {
  it.each<readonly [string, readonly string[]]>([
    ['row 5: refuses two Authorization headers', ['authorization: Bearer other-key']],
    ['row 5: refuses two Authorization headers of one value', ['Authorization: Bearer test-key']],
    ['row 5: refuses two x-api-key headers', ['x-api-key: a', 'x-api-key: b']],
    ['row 5: refuses two x-goog-api-key headers', ['x-goog-api-key: a', 'X-Goog-Api-Key: b']],
    ['row 5: refuses two content types', ['content-type: text/plain']],
  ])('%s', async (_name, lines) => {
    const before = upstream.requests.length;
    const answer = await sendRaw(harness.url, rawCall({ lines }));
    expect([answer.status, answer.headers['connection']]).toEqual([400, 'close']);
    expect(answer.body.toString()).toContain('"ambiguous_header"');
    expect(upstream.requests).toHaveLength(before);
  });

  it("row 6: sends a route's own key in place of every credential that the caller showed", async () => {
    const lines = ['x-api-key: sk-one', 'api-key: sk-two', 'x-goog-api-key: sk-three'];
    const request = await received(rawCall({ lines, body: JSON.stringify(aChat({ model: 'gpt-4o' })) }));
    expect(request).toContain('Bearer sk-platform');
    expect(request).not.toMatch(/test-key|sk-one|sk-two|sk-three/);
  });

  it('row 8: drops names with underscores, which servers take for others', async () => {
    const lines = ['X_User: root', 'X_TOLLGATE_ORG: other', 'x_forwarded_for: 10.0.0.1', 'X-Tollgate_Budget: none'];
    expect(headerNames(await received(rawCall({ lines }))).filter((name) => name.includes('_'))).toEqual([]);
  });

  it("row 9: drops Tollgate's own names and every claim about forwarding", async () => {
    const claims = [
      ...['x-tollgate-org', 'x-tollgate-request-id', 'x-tollgate-cost-usd', 'x-forwarded-for', 'x-forwarded-host'],
      ...['x-forwarded-proto', 'forwarded', 'x-original-url', 'x-original-host', 'x-rewrite-url', 'x-real-ip', 'via'],
    ];
    const names = headerNames(await received(rawCall({ lines: claims.map((name) => `${name}: 10.0.0.1`) })));
    expect(names.filter((name) => claims.includes(name))).toEqual([]);
  });

  it('row 9: takes neither its path nor its request id from a header', async () => {
    const lines = ['x-original-url: /metrics', 'x-http-method-override: DELETE', 'x-tollgate-request-id: mine'];
    const answer = await sendRaw(harness.url, rawCall({ lines }));
    expect([answer.status, answer.headers['x-tollgate-request-id']]).toEqual([200, expect.stringMatching(/^tg-/)]);
    expect(upstream.requests.at(-1)).toMatch(/^POST \/v1\/chat\/completions HTTP/);
  });

  it('row 9: lets no provider speak under x-tollgate-', async () => {
    const forged = await startRawUpstream(async ({ write }) => {
      await write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-tollgate-cost-usd: 0\r\nx-tollgate-forged: 1\r\ncontent-length: ${String(ANSWER.length)}\r\n\r\n${ANSWER}`,
      );
    });
    const other = await startHarness({ snapshot: aSnapshot(), upstream: forged.url });
    const { headers } = await callJson(`${other.url}${CHAT_PATH}`, aChat());
    expect([headers.get('x-tollgate-forged'), headers.get('x-tollgate-cost-usd')]).toEqual([null, '0.000000750']);
    await other.stop();
    await forged.stop();
  });
});

describe('a caller that names the destination', () => {
  it('row 32: ignores fields and headers that do, and sends the call where it goes', async () => {
    let dialled = 0;
    const decoy = createServer((socket) => {
      dialled += 1;
      socket.destroy();
    });
    decoy.listen(0, '127.0.0.1');
    await once(decoy, 'listening');
    const address = decoy.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? String(address.port) : ''}`;
    const headers = [
      'x-portkey-custom-host',
      'x-portkey-config',
      'x-base-url',
      'x-api-base',
      'openai-base-url',
      'helicone-target-url',
    ];
    const body = JSON.stringify(
      aChat({ api_base: url, base_url: url, custom_llm_provider: 'openai', api_key: 'sk-theirs' }),
    );
    const request = await received(rawCall({ lines: headers.map((name) => `${name}: ${url}`), body }));
    expect(request).toMatch(/^POST \/v1\/chat\/completions HTTP/);
    expect(request).toContain(`host: 127.0.0.1:${String(upstream.port)}`);
    expect(headerNames(request).filter((name) => name.startsWith('x-portkey-'))).toEqual([]);
    decoy.close();
    expect(dialled).toBe(0);
  });
});

describe('the local port is a wallet', () => {
  it.each<readonly [string, readonly string[]]>([
    ['another site by Sec-Fetch-Site', ['sec-fetch-site: cross-site']],
    ['a sibling site', ['sec-fetch-site: same-site']],
    ['another origin', ['origin: https://evil.example']],
    ['an opaque origin', ['origin: null']],
    ['an origin that begins like ours', ['origin: http://127.0.0.1.evil.example']],
    ['a form that hides behind text/plain', ['origin: https://evil.example', 'sec-fetch-mode: no-cors']],
  ])('new row: refuses a POST from %s with 403', async (_name, lines) => {
    const before = upstream.requests.length;
    const answer = await sendRaw(harness.url, rawCall({ lines }));
    expect([answer.status, answer.headers['connection']]).toEqual([403, 'close']);
    expect(upstream.requests).toHaveLength(before);
  });

  it.each([
    'evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    '169.254.169.254',
    'localhost.',
    '[::1]evil',
    '0.0.0.0',
    '',
  ])('new row: refuses the foreign Host "%s", as a name rebound to loopback sends it', async (host) => {
    const answer = await sendRaw(harness.url, rawCall({ without: ['host'], lines: [`host: ${host}`] }));
    expect([answer.status, answer.headers['connection']]).toEqual([403, 'close']);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json-seq', 'application/jsonp', ''])(
    'new row: refuses a body of type "%s", which a page may send unasked',
    async (type) => {
      const answer = await sendRaw(
        harness.url,
        rawCall({ without: ['content-type'], lines: type === '' ? [] : [`content-type: ${type}`] }),
      );
      expect(answer.status).toBe(415);
    },
  );

  it('new row: serves a page of the same origin', async () => {
    const { status } = await callJson(`${harness.url}${CHAT_PATH}`, aChat(), {
      headers: { 'sec-fetch-site': 'same-origin', origin: harness.url },
    });
    expect(status).toBe(200);
  });
});
