/** Bad input, eighth theme: a key of the platform must not come back, and a caller must not write the log (reliability.md 4.3). */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sendRaw, startRawUpstream, type RawHandler } from '@tollgate/testkit';
import { makeLogger } from '@tollgate/runtime';
import { aBackend, aRule, aSnapshot, aSnapshotRoute, makeMockPrices } from '../testing/objects.ts';
import { aChat } from '../testing/call.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { CHAT_PATH, rawCall } from '../testing/raw-call.ts';

const CANARY = 'sk-canary-Zx81/qW+7fGh29LmN0pR';

interface Watched {
  readonly on: Harness;
  /** Every line of the log, and everything else that the proxy has written. */
  readonly lines: string[];
  written(): Promise<string>;
}

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const watch = async (handler: RawHandler | null, withKey = true): Promise<Watched> => {
  const spool = mkdtempSync(join(tmpdir(), 'tollgate-canary-'));
  const lines: string[] = [];
  const upstream = handler === null ? null : await startRawUpstream(handler);
  const credential = withKey ? { name: 'platform', key: 'api-key' } : null;
  const on = await startHarness({
    snapshot: aSnapshot({ routes: [aSnapshotRoute({ rules: [aRule({ backends: [aBackend({ credential })] })] })] }),
    prices: makeMockPrices(),
    env: { TOLLGATE_SECRET_PLATFORM_API_KEY: CANARY, TOLLGATE_SPOOL_DIR: spool },
    logger: makeLogger({ process: 'proxy', level: 'debug', to: { write: (line) => void lines.push(line) } }),
    ...(upstream === null ? {} : { upstream: upstream.url }),
  });
  opened.push(async () => {
    await on.stop();
    await upstream?.stop();
    rmSync(spool, { recursive: true, force: true });
  });
  return {
    on,
    lines,
    async written() {
      const files = readdirSync(spool, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const metrics = await (await fetch(`${on.adminUrl}/metrics`)).text();
      const events = JSON.stringify(on.controlPlane.events, (_key, value: unknown) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      return [
        ...files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')),
        metrics,
        events,
        ...lines,
      ].join('\n');
    },
  };
};

/** No part of it of twelve bytes, as it is or as JSON, a URL, base64 or hex write it. */
const expectNoCanary = (text: string): void => {
  const forms = [
    CANARY,
    CANARY.replaceAll('/', '\\/'),
    encodeURIComponent(CANARY),
    Buffer.from(CANARY).toString('base64'),
    Buffer.from(CANARY).toString('hex'),
  ];
  for (const form of forms) {
    for (let at = 0; at + 12 <= form.length; at += 1) expect(text).not.toContain(form.slice(at, at + 12));
  }
};

const chunked = (pieces: readonly string[]): string =>
  pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`).join('') + '0\r\n\r\n';
const answer = (status: string, headers: readonly string[], body: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      [`HTTP/1.1 ${status}`, ...headers, `content-length: ${String(Buffer.byteLength(body))}`, '', ''].join('\r\n'),
    ),
    Buffer.from(body),
  ]);
const stream = (pieces: readonly string[]): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n${chunked(pieces)}`;
const delta = (content: string): string =>
  `data: {"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;

describe("the platform's key", () => {
  const json = ['content-type: application/json'];
  const CASES: readonly (readonly [string, boolean, readonly (string | Buffer)[]])[] = [
    [
      'an error',
      false,
      [answer('401 Unauthorized', json, `{"error":{"message":"Incorrect API key provided: ${CANARY}."}}`)],
    ],
    [
      'an error with escaped slashes',
      false,
      [answer('401 Unauthorized', json, `{"error":{"message":"${CANARY.replaceAll('/', '\\/')}"}}`)],
    ],
    [
      'an error as a URL',
      false,
      [answer('400 Bad Request', json, `{"error":{"message":"?key=${encodeURIComponent(CANARY)}"}}`)],
    ],
    [
      'an answer',
      false,
      [
        answer(
          '200 OK',
          json,
          `{"model":"gpt-4o-mini","choices":[{"message":{"content":"${CANARY}"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`,
        ),
      ],
    ],
    [
      'an answer too long to wait for',
      false,
      [answer('200 OK', json, `{"a":"${'x'.repeat(200_000)}","b":"${CANARY}"}`)],
    ],
    [
      'a header',
      false,
      [
        answer(
          '200 OK',
          [...json, `x-echo: Bearer ${CANARY}`, `www-authenticate: Basic ${Buffer.from(CANARY).toString('base64')}`],
          '{}',
        ),
      ],
    ],
    [
      'an encoded error',
      false,
      [answer('401 Unauthorized', [...json, 'content-encoding: gzip'], gzipSync(`{"error":{"message":"${CANARY}"}}`))],
    ],
    ['a redirect', false, [answer('302 Found', [`location: https://evil.example/?key=${CANARY}`], '')]],
    ['a stream', true, [stream([delta('x'), delta(CANARY), 'data: [DONE]\n\n'])]],
    [
      'the head of a stream',
      true,
      [stream([delta('x'), 'data: [DONE]\n\n']).replace('\r\n\r\n', `\r\nx-echo: ${CANARY}\r\n\r\n`)],
    ],
    ['the error inside a stream', true, [stream([`data: {"error":{"message":"key ${CANARY} expired"}}\n\n`])]],
    ['the end of a stream that breaks off', true, [stream([delta('x'), `data: {"x":"${CANARY}`])]],
  ];

  it.each(CASES)(
    'row 39: does not come back in %s, and stands in nothing that the proxy writes',
    async (_name, isStream, pieces) => {
      const { on, written } = await watch(async ({ write, end }) => {
        for (const piece of pieces) await write(piece);
        end();
      });
      const got = await sendRaw(on.url, rawCall({ body: JSON.stringify(aChat({ stream: isStream })) }));
      expect(got.status).toBeGreaterThan(0);
      await on.events(1);
      expectNoCanary(got.text);
      expectNoCanary(await written());
    },
  );

  it('row 39: does not come back in a stream that is cut inside it, byte by byte', async () => {
    const { on, written } = await watch(async ({ write, end }) => {
      const text = delta(`key ${CANARY} and ${CANARY.slice(0, 20)}`);
      await write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
      for (const character of text) {
        await write(`1\r\n${character}\r\n`);
        await new Promise(setImmediate);
      }
      await write('0\r\n\r\n');
      end();
    });
    const got = await sendRaw(on.url, rawCall({ body: JSON.stringify(aChat({ stream: true })) }));
    expect(got.text).not.toContain(CANARY);
    expect(got.text.replace(/\r\n[0-9a-f]+\r\n/g, '')).toContain(`and ${CANARY.slice(0, 20)}`);
    await on.events(1);
    expect(await written()).not.toContain(CANARY.slice(0, 12));
  });

  it.each([false, true])(
    "row 39: does not come back from a provider that repeats its caller's key (stream %j)",
    async (isStream) => {
      const { on, written } = await watch(null);
      const got = await sendRaw(
        on.url,
        rawCall({ lines: ['x-mock-echo-authorization: true'], body: JSON.stringify(aChat({ stream: isStream })) }),
      );
      expect([got.status, got.text]).toEqual([
        401,
        expect.stringContaining('Incorrect API key provided: Bearer [redacted]'),
      ]);
      await on.events(1);
      expectNoCanary(got.text);
      expectNoCanary(await written());
    },
  );

  it("row 39: a caller's own key, which it knows, passes back to it and is written nowhere", async () => {
    const { on, written } = await watch(null, false);
    const got = await sendRaw(
      on.url,
      rawCall({
        without: ['authorization'],
        lines: [`authorization: Bearer ${CANARY}`, 'x-mock-echo-authorization: true'],
      }),
    );
    expect(got.text).toContain(CANARY);
    await on.events(1);
    expectNoCanary(await written());
  });
});

describe('the log', () => {
  const FORGED = '\n{"level":"error","msg":"forged"}\r\n\u001b[31mred\u0000\u2028\u202e';

  it('row 52: stays one line an event, whatever model, user, path or header a caller sends', async () => {
    const { on, lines } = await watch(null, false);
    const bodies = [
      JSON.stringify(aChat({ user: FORGED, safety_identifier: FORGED, service_tier: FORGED })),
      JSON.stringify(aChat({ model: `gpt-4o-mini${FORGED}` })),
      JSON.stringify(aChat({ model: 'no-such\u00a0model' })),
      `{"${FORGED.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\u0000', '').replaceAll('\u001b', '').replaceAll('"', '')}":1,"model":5}`,
    ];
    for (const body of bodies) await sendRaw(on.url, rawCall({ body }));
    for (const target of [
      `${CHAT_PATH}%0a%1b[31m`,
      `/openai/v1/%0d%0aforged`,
      `${CHAT_PATH}?x=%0aforged`,
      '/openai/v1/\u0085forged',
    ]) {
      await sendRaw(on.url, rawCall({ target }));
    }
    await sendRaw(on.url, rawCall({ lines: ['user-agent: \u001b[31mforged', 'x-request-id: \u0085forged'] }));
    await on.events(1);
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) {
      expect(line.replace(/\n$/, '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
      expect(JSON.parse(line)).toMatchObject({ process: 'proxy' });
      expect(line).not.toMatch(/"msg":"forged"/);
    }
  });

  it('row 52: the error that a caller gets stays one JSON object, and its head the head', async () => {
    const { on } = await watch(null, false);
    const got = await sendRaw(on.url, rawCall({ body: JSON.stringify(aChat({ model: `x${FORGED}`, user: FORGED })) }));
    expect(JSON.parse(got.body.toString())).toMatchObject({ error: { code: 'invalid_value', param: 'model' } });
    expect(Object.values(got.headers).join()).not.toContain('forged');
  });
});
