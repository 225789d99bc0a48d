/** Bad input, seventh theme: what a provider may answer (reliability.md 4.3). */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MALFORMED_ANSWERS, startRawUpstream, type RawHandler } from '@tollgate/testkit';
import type { LedgerEvent } from '@tollgate/ledger';
import {
  aBackend,
  aLimit,
  aRule,
  aSnapshot,
  aSnapshotBudget,
  aSnapshotRoute,
  makeMockPrices,
} from '../testing/objects.ts';
import { aChat, callJson, type CallAnswer } from '../testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from '../testing/harness.ts';
import { readMetric } from '../testing/metrics.ts';
import { CHAT_PATH } from '../testing/raw-call.ts';

const prices = makeMockPrices();
const snapshot = (): ReturnType<typeof aSnapshot> =>
  aSnapshot({ budgets: [aSnapshotBudget({ limits: [aLimit({ max: '1000000000000000' })] })] });
let harness: Harness;

/** Those that one test has for itself. */
const opened: { stop(): Promise<void> }[] = [];
const open = async (options: HarnessOptions = {}): Promise<Harness> => {
  const own = await startHarness({ snapshot: snapshot(), prices, ...options });
  opened.push(own);
  return own;
};
const openRaw = async (handler: RawHandler, options: HarnessOptions = {}): Promise<Harness> => {
  const upstream = await startRawUpstream(handler);
  const own = await open({ ...options, upstream: upstream.url });
  opened.push(upstream);
  return own;
};

beforeAll(async () => {
  harness = await startHarness({ snapshot: snapshot(), prices });
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.stop();
});

afterAll(() => harness.stop());

interface Served {
  readonly answer: CallAnswer;
  readonly event: LedgerEvent;
}

/** One call with the simulator told how to answer, and its event. */
const call = async (
  behaviour: Readonly<Record<string, string>>,
  body: Record<string, unknown> = aChat(),
  on = harness,
): Promise<Served> => {
  const before = on.controlPlane.events.length;
  const headers = Object.fromEntries(Object.entries(behaviour).map(([key, value]) => [`x-mock-${key}`, value]));
  const answer = await callJson(`${on.url}${CHAT_PATH}`, body, { headers });
  const event = (await on.events(before + 1))[before];
  if (event === undefined) throw new Error('no event');
  return { answer, event };
};

const isServing = async (on: Harness): Promise<boolean> =>
  (await callJson(`${on.url}${CHAT_PATH}`, aChat())).status !== 500;
describe('addresses in a request', () => {
  it('row 31: an image or file by URL is passed on and never fetched', async () => {
    let dialled = 0;
    const decoy = createServer((socket) => {
      dialled += 1;
      socket.destroy();
    });
    decoy.listen(0, '127.0.0.1');
    await once(decoy, 'listening');
    const address = decoy.address();
    const local = `http://127.0.0.1:${typeof address === 'object' && address !== null ? String(address.port) : ''}/x.png`;
    for (const url of [
      'http://169.254.169.254/latest/meta-data/',
      local,
      'file:///etc/passwd',
      'gopher://127.0.0.1:6379/_FLUSHALL',
    ]) {
      const body = aChat({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
      const before = harness.mock.log.length;
      const { status } = await callJson(`${harness.url}${CHAT_PATH}`, body);
      expect(status).toBe(url.startsWith('http') ? 200 : status);
      if (harness.mock.log.length > before)
        expect(harness.mock.log.at(-1)?.requestBytes).toBeGreaterThanOrEqual(JSON.stringify(body).length);
    }
    decoy.close();
    expect(dialled).toBe(0);
  });

  it.each([
    'http://169.254.169.254',
    'http://[::ffff:169.254.169.254]',
    'http://[fe80::1]',
    'http://0.0.0.0',
    'http://[fd00:ec2::254]',
    'http://2852039166',
    'http://0xa9fea9fe',
  ])('row 31: a route to %s is never dialled, even where private addresses are', async (baseUrl) => {
    const on = await open({
      snapshot: aSnapshot({ routes: [aSnapshotRoute({ rules: [aRule({ backends: [aBackend({ baseUrl })] })] })] }),
    });
    const { answer, event } = await call({}, aChat(), on);
    expect([answer.status, answer.error?.code, event.settle, event.charged]).toEqual([
      502,
      'upstream_forbidden',
      'void',
      0n,
    ]);
  });

  it('row 31: loopback is not dialled where it was not allowed', async () => {
    const on = await open({ env: { TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'false' } });
    const { answer, event } = await call({}, aChat(), on);
    expect([answer.status, answer.error?.code, event.charged]).toEqual([502, 'upstream_forbidden', 0n]);
    expect(on.mock.log).toHaveLength(0);
  });
});

describe('a stream in any framing that the standard allows', () => {
  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['CR', { 'line-ending': 'cr' }],
    ['CRLF', { 'line-ending': 'crlf' }],
    ['LF', { 'line-ending': 'lf' }],
    ['CRLF, cut everywhere', { 'line-ending': 'crlf', split: '1' }],
    ['CR, cut everywhere', { 'line-ending': 'cr', split: '1' }],
    ['characters cut in two', { split: 'characters' }],
    ['a byte order mark', { bom: 'true' }],
    ['comments and keep-alives', { comments: 'true', 'keep-alives': '3' }],
    ['no newline at its end', { 'no-final-newline': 'true' }],
    [
      'all of it at once',
      { 'line-ending': 'crlf', split: '3', bom: 'true', comments: 'true', 'no-final-newline': 'true' },
    ],
  ])('row 34: with %s is charged as billed and passed on byte for byte', async (_name, behaviour) => {
    const { answer, event } = await call(behaviour, aChat({ stream: true, stream_options: { include_usage: true } }));
    const billed = harness.mock.log.at(-1);
    expect([event.settle, event.charged]).toEqual(['usage', billed?.billedNano]);
    // `fetch` takes a byte order mark away.
    const text = behaviour['bom'] === 'true' ? `\ufeff${answer.text}` : answer.text;
    expect(createHash('sha256').update(text).digest('hex')).toBe(billed?.responseSha256);
  });
});

describe('usage that is not what it seems', () => {
  it.each([false, true])('row 35: usage forged in the content is content (stream %j)', async (stream) => {
    const { event } = await call({ forge: 'true' }, aChat({ stream, max_tokens: 500 }));
    expect([event.settle, event.charged]).toEqual(['usage', harness.mock.log.at(-1)?.billedNano]);
  });

  it.each(['twice', 'shrinking', 'early'])(
    'row 35: of contradicting statements (%s) none makes the call cheaper',
    async (usage) => {
      const { event } = await call({ usage }, aChat({ stream: true, max_tokens: 500 }));
      const billed = harness.mock.log.at(-1)?.billedNano ?? 0n;
      expect(event.charged).toBeGreaterThanOrEqual(billed);
      if (usage !== 'early') expect(event.charged).toBe(billed);
    },
  );

  it.each(['negative', 'infinite', 'text', 'fraction', 'missing', 'null'])(
    'row 36: usage that is %s is settled at the hold',
    async (usage) => {
      for (const stream of [false, true]) {
        const { answer, event } = await call({ usage }, aChat({ stream }));
        expect([answer.status, event.settle, event.charged]).toEqual([200, 'hold', event.held]);
      }
    },
  );

  it('row 36: zero that was said is zero', async () => {
    const { event } = await call({ usage: 'zero' });
    expect([event.settle, event.charged]).toEqual(['usage', 0n]);
  });

  it('row 36: usage above the hold is booked as it is, and counted as a violation', async () => {
    const before = await readMetric(harness, 'tollgate_hold_violations_total');
    const { event } = await call({ usage: 'over-hold' });
    expect(event.charged).toBeGreaterThan(event.held);
    expect(await readMetric(harness, 'tollgate_hold_violations_total')).toBe(before + 1);
  });

  it('row 36: more cached than sent lowers no charge', async () => {
    for (const stream of [false, true]) {
      const { event } = await call({ usage: 'cached-over-prompt' }, aChat({ stream }));
      expect(event.charged).toBeGreaterThanOrEqual(harness.mock.log.at(-1)?.billedNano ?? 0n);
    }
  });

  it('row 36: without a Hard budget, missing usage is counted here and flagged', async () => {
    const on = await open({ snapshot: aSnapshot({ budgets: [] }) });
    const { event } = await call({ usage: 'missing' }, aChat(), on);
    expect([event.settle, event.charged > 0n]).toEqual(['estimated', true]);
  });
});

describe('an answer that is meant for someone else', () => {
  it('row 37: cookies and other addresses do not reach the caller', async () => {
    for (const stream of [false, true]) {
      const { answer } = await call({ 'set-cookie': 'true' }, aChat({ stream }));
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, null]);
    }
  });

  it('row 37: a redirect to the metadata service is not followed and not passed on', async () => {
    const { answer, event } = await call({ redirect: 'metadata' });
    expect([answer.status, answer.error?.code, answer.headers.get('location')]).toEqual([
      502,
      'upstream_redirect',
      null,
    ]);
    expect([event.settle, event.charged]).toEqual(['hold', event.held]);
  });

  it('row 37: a few informational answers are borne', async () => {
    const { answer, event } = await call({ informational: '3' });
    expect([answer.status, event.settle]).toEqual([200, 'usage']);
  });

  it.each(Object.keys(MALFORMED_ANSWERS))(
    'row 37: %s is a 502, settled at the hold, and leaves the proxy whole',
    async (name) => {
      const handler = MALFORMED_ANSWERS[name];
      if (handler === undefined) throw new Error(name);
      const on = await openRaw(handler, { env: { TOLLGATE_FIRST_BYTE_TIMEOUT_MS: '2000' } });
      for (const stream of [false, true]) {
        const { answer, event } = await call({}, aChat({ stream }), on);
        expect([answer.status, event.settle, event.charged]).toEqual([502, 'hold', event.held]);
        expect(answer.headers.get('set-cookie')).toBeNull();
      }
      expect(await isServing(on)).toBe(true);
    },
  );
});

describe('an answer without end', () => {
  const LIMITS = {
    TOLLGATE_CALL_TIMEOUT_MS: '400',
    TOLLGATE_IDLE_TIMEOUT_MS: '300',
    TOLLGATE_FIRST_BYTE_TIMEOUT_MS: '300',
  };

  it.each<readonly [string, string]>([
    ['the head never comes', 'head'],
    ['nothing follows the head', 'body'],
  ])('row 38: is a 504, settled at the hold, where %s', async (_name, hang) => {
    const on = await open({ env: LIMITS });
    const { answer, event } = await call({ hang }, aChat(), on);
    expect([answer.status, answer.error?.code]).toEqual([504, 'upstream_timeout']);
    expect([event.settle, event.charged]).toEqual(['hold', event.held]);
  });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['falls silent', { hang: '3' }],
    ['goes on for ever', { endless: 'true', 'chunk-delay': '5' }],
    ['sends comments for ever', { hang: '2', comments: 'true' }],
  ])('row 38: says so inside a stream that %s, and settles it at the hold', async (_name, behaviour) => {
    const on = await open({ env: LIMITS });
    const { answer, event } = await call(behaviour, aChat({ stream: true, max_tokens: 500 }), on);
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/\n\ndata: \{"error":\{"message":"[^"]+"[^\n]*"code":"upstream_timeout"[^\n]*\n\n$/);
    expect([event.settle, event.charged]).toEqual(['hold', event.held]);
  });

  it('row 38: a stream that trickles for ever ends with the whole time of its call', async () => {
    const on = await openRaw(
      async ({ write, gone }) => {
        await write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
        while (!gone.aborted) {
          await write('3\r\n:\n\n\r\n');
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
      { env: LIMITS },
    );
    const { answer, event } = await call({}, aChat({ stream: true }), on);
    expect(answer.text).toContain('"code":"upstream_timeout"');
    expect(event.charged).toBe(event.held);
  });

  it('row 38: an answer announced at 65 MiB is a 502', async () => {
    const on = await openRaw(async ({ write }) => {
      await write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${String(65 * 1024 * 1024)}\r\n\r\n{`,
      );
    });
    const { answer, event } = await call({}, aChat(), on);
    expect([answer.status, answer.error?.code]).toEqual([502, 'upstream_too_large']);
    expect([event.settle, event.charged]).toEqual(['hold', event.held]);
  });

  it('row 38: an answer that grows beyond the limit is cut, so that nobody takes the part for the whole', async () => {
    const on = await open({ env: { TOLLGATE_MAX_ANSWER_BYTES: '1000000' } });
    const before = on.controlPlane.events.length;
    await expect(
      callJson(`${on.url}${CHAT_PATH}`, aChat(), { headers: { 'x-mock-line-bytes': '2000000' } }),
    ).rejects.toThrow();
    const event = (await on.events(before + 1))[before];
    expect([event?.settle, event?.charged]).toEqual(['hold', event?.held]);
  });
});
