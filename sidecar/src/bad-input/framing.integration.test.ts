/** Bad input, first theme: what is on the wire before there is a request (reliability.md 4.3). */
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRaw } from '@tollgate/testkit';
import { aSnapshot, makeMockPrices } from '../testing/objects.ts';
import { aChat, callJson } from '../testing/call.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { untilQuiet } from '../testing/metrics.ts';
import { CHAT_PATH, chunkedCall, inChunks, rawCall } from '../testing/raw-call.ts';

const HEADERS_MS = 400;
const REQUEST_MS = 800;
const IDLE_MS = 300;

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({
    snapshot: aSnapshot(),
    prices: makeMockPrices(),
    env: {
      TOLLGATE_HEADERS_TIMEOUT_MS: String(HEADERS_MS),
      TOLLGATE_REQUEST_TIMEOUT_MS: String(REQUEST_MS),
      TOLLGATE_IDLE_TIMEOUT_MS: String(IDLE_MS),
    },
  });
});

afterAll(() => harness.stop());

/** A refusal at the door: a status, a JSON error, a closed connection, and nothing sent or held. */
const expectRefused = async (bytes: Buffer | readonly Buffer[], status: number): Promise<void> => {
  const before = harness.mock.log.length;
  const answer = await sendRaw(harness.url, bytes);
  expect([answer.status, answer.headers['connection']]).toEqual([status, 'close']);
  expect(harness.mock.log).toHaveLength(before);
};

describe('a request whose framing two readers could take in two ways', () => {
  const chat = Buffer.from('{"model":"gpt-4o-mini","messages":[]}');

  it.each<readonly [string, Buffer, number]>([
    [
      'row 1: refuses a length and chunked coding at once',
      rawCall({ lines: ['transfer-encoding: chunked'], body: inChunks(chat) }),
      400,
    ],
    ['row 2: refuses two different lengths', rawCall({ lines: ['content-length: 4'] }), 400],
    [
      'row 2: refuses a length with a sign',
      rawCall({ without: ['content-length'], lines: ['content-length: +4'], body: '{} {' }),
      400,
    ],
    [
      'row 2: refuses a transfer coding that it does not know',
      rawCall({ without: ['content-length'], lines: ['transfer-encoding: xchunked'], body: inChunks(chat) }),
      400,
    ],
    [
      'row 2: refuses chunked coding that is not the last',
      rawCall({ without: ['content-length'], lines: ['transfer-encoding: chunked, identity'], body: inChunks(chat) }),
      400,
    ],
    ['row 3: refuses chunked coding under HTTP/1.0', chunkedCall(chat, { version: '1.0' }), 400],
    ['row 4: refuses a space before the colon', rawCall({ lines: ['x-name : value'] }), 400],
    ['row 4: refuses a header folded over two lines', rawCall({ lines: ['x-name: one', ' two'] }), 400],
    ['row 4: refuses a bare line feed', rawCall({ lines: ['x-name: one\nx-other: two'] }), 400],
    ['row 4: refuses NUL in a value', rawCall({ lines: ['x-name: a\0b'] }), 400],
    ['row 7: refuses two Host headers', rawCall({ lines: ['host: 127.0.0.1'] }), 400],
    ['row 7: refuses a request without Host', rawCall({ without: ['host'] }), 400],
    [
      'row 10: refuses a Connection header that names the credential',
      rawCall({ without: ['connection'], lines: ['connection: authorization, x-tollgate-org'] }),
      400,
    ],
    [
      'row 10: refuses a Connection header that names the length',
      rawCall({ without: ['connection'], lines: ['connection: close, content-length'] }),
      400,
    ],
    ['row 13: refuses TRACE', rawCall({ method: 'TRACE', without: ['content-length', 'content-type'], body: '' }), 405],
    [
      'row 13: refuses CONNECT',
      rawCall({ method: 'CONNECT', target: '127.0.0.1:22', without: ['content-length', 'content-type'], body: '' }),
      405,
    ],
    [
      'row 13: refuses an upgrade to h2c',
      rawCall({ without: ['connection'], lines: ['connection: upgrade', 'upgrade: h2c'] }),
      400,
    ],
    [
      'row 13: refuses an upgrade to h2c that carries settings',
      rawCall({
        without: ['connection'],
        lines: ['connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABkAAQAAP__'],
      }),
      400,
    ],
    ['row 14: refuses a header of 17 KB', rawCall({ lines: [`x-long: ${'a'.repeat(17 * 1024)}`] }), 431],
    [
      'row 14: refuses 2,102 headers, though they fit the size',
      rawCall({ lines: Array.from({ length: 2_102 }, () => 'a:b') }),
      431,
    ],
    ['row 14: refuses 101 headers', rawCall({ lines: Array.from({ length: 96 }, (_, n) => `x-${String(n)}: b`) }), 431],
    [
      'row 15: refuses a chunk extension of 20 KB',
      rawCall({
        without: ['content-length'],
        lines: ['transfer-encoding: chunked'],
        body: `5;${'a'.repeat(20 * 1024)}\r\nhello\r\n0\r\n\r\n`,
      }),
      413,
    ],
  ])('%s', async (_name, bytes, status) => {
    await expectRefused(bytes, status);
  });

  it('row 11: refuses a target that is a whole URL, and dials nobody', async () => {
    let dialled = 0;
    const elsewhere = createServer((socket) => {
      dialled += 1;
      socket.destroy();
    });
    elsewhere.listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const address = elsewhere.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    for (const target of [
      `http://127.0.0.1:${port}${CHAT_PATH}`,
      `https://127.0.0.1:${port}${CHAT_PATH}`,
      `http://127.0.0.1${CHAT_PATH}`,
      '*',
    ]) {
      await expectRefused(rawCall({ target }), 400);
    }
    elsewhere.close();
    expect(dialled).toBe(0);
  });
});

describe('a caller that takes its time', () => {
  /** Another caller's call while `slow` goes on. */
  const whileAnotherIsServed = async <T>(slow: Promise<T>): Promise<T> => {
    const other = await callJson(`${harness.url}${CHAT_PATH}`, aChat());
    expect(other.status).toBe(200);
    return slow;
  };

  it('row 16: ends a head that arrives byte by byte, with 408', async () => {
    const bytes = [...rawCall().toString('latin1')];
    const answer = await whileAnotherIsServed(sendRaw(harness.url, bytes, { pauseMs: 100 }));
    expect(answer.status).toBe(408);
  });

  it('row 16: ends a body that arrives byte by byte, with 408', async () => {
    const call = rawCall();
    const split = call.indexOf('\r\n\r\n') + 4;
    const bytes = [call.subarray(0, split), ...[...call.subarray(split).toString('latin1')]];
    const answer = await whileAnotherIsServed(sendRaw(harness.url, bytes, { pauseMs: 100 }));
    expect(answer.status).toBe(408);
  });

  it.each(['stream', 'JSON'])(
    'row 16: gives up on a caller that does not read a long answer (%s), and settles its call',
    async (kind) => {
      const before = harness.controlPlane.events.length;
      const body = JSON.stringify(aChat({ stream: kind === 'stream', max_tokens: 16_000 }));
      const socket = connect(harness.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.pause();
      socket.write(rawCall({ lines: ['x-mock-body-bytes: 24000000'], body }));
      await whileAnotherIsServed(harness.events(before + 2));
      expect(harness.controlPlane.events.slice(before).every((event) => event.charged > 0n)).toBe(true);
      await untilQuiet(harness);
      socket.destroy();
    },
  );
});
