/** Bad input, fourth theme: bodies that are too large, encoded, too deep, or mean two things (reliability.md 4.3). */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRaw } from '@tollgate/testkit';
import type { Snapshot } from '@tollgate/api';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from '../testing/objects.ts';
import { aChat, callJson } from '../testing/call.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { CHAT_PATH, chunkedCall, rawCall } from '../testing/raw-call.ts';

const MiB = 1024 * 1024;
const SMALL = 64 * 1024;

const prices = makeMockPrices();
/** The real limits. */
let harness: Harness;
/** Bodies up to 64 KiB. */
let small: Harness;

beforeAll(async () => {
  harness = await startHarness({ snapshot: aSnapshot(), prices });
  small = await startHarness({ snapshot: aSnapshot(), prices, env: { TOLLGATE_MAX_BODY_BYTES: String(SMALL) } });
});

/** Those that one test has for itself. */
const opened: Harness[] = [];
afterEach(() => Promise.all(opened.splice(0).map((each) => each.stop())));

afterAll(async () => {
  await harness.stop();
  await small.stop();
});

/** A chat of exactly so many bytes. */
const chatOf = (bytes: number): Buffer => {
  const head = '{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"';
  const tail = '"}]}';
  return Buffer.concat([Buffer.from(head), Buffer.alloc(bytes - head.length - tail.length, 'a'), Buffer.from(tail)]);
};

const codeOf = (body: Buffer): unknown => (/"code":"([a-z0-9_]+)"/.exec(body.toString()) ?? [])[1];

describe('a body that is too large', () => {
  const call = { lines: ['x-mock-usage-input: 10'] };

  it.each<readonly [string, (body: Buffer) => Buffer]>([
    ['with its length', (body) => rawCall({ ...call, body })],
    ['in chunks', (body) => chunkedCall(body, call)],
  ])('row 17: serves one at the limit %s, and refuses one byte more', async (_name, send) => {
    const [at, over] = await Promise.all([
      sendRaw(small.url, send(chatOf(SMALL))),
      sendRaw(small.url, send(chatOf(SMALL + 1))),
    ]);
    expect([at.status, over.status, codeOf(over.body), over.headers['connection']]).toEqual([
      200,
      413,
      'request_too_large',
      'close',
    ]);
  });

  it('row 17: refuses 32 MiB and one byte by the length alone, before any of it arrives', async () => {
    const lines = [`content-length: ${String(32 * MiB + 1)}`];
    const answer = await sendRaw(harness.url, rawCall({ without: ['content-length'], lines, body: '' }));
    expect([answer.status, codeOf(answer.body)]).toEqual([413, 'request_too_large']);
  });

  it('row 17: refuses 32 MiB and one byte in chunks', async () => {
    // A busy machine takes seconds over it.
    const patience = { timeoutMs: 30_000 };
    const answer = await sendRaw(harness.url, chunkedCall(Buffer.alloc(32 * MiB + 1, ' ')), patience);
    expect([answer.status, codeOf(answer.body)]).toEqual([413, 'request_too_large']);
  }, 40_000);

  it('row 17: refuses a body for which the process has no room left, and says when to try again', async () => {
    const tight = await startHarness({
      snapshot: aSnapshot(),
      prices,
      env: { TOLLGATE_MAX_BUFFERED_BYTES: String(SMALL) },
    });
    opened.push(tight);
    const answer = await sendRaw(tight.url, rawCall({ body: chatOf(SMALL + 1) }));
    expect([answer.status, codeOf(answer.body), answer.headers['retry-after']]).toEqual([503, 'busy', '1']);
    // What was refused gives its room back.
    expect((await callJson(`${tight.url}${CHAT_PATH}`, aChat())).status).toBe(200);
  });
});

describe('an encoded body', () => {
  const nested = (times: number): Buffer => {
    let bytes: Buffer = Buffer.alloc(10 * MiB, 'a');
    for (let i = 0; i < times; i += 1) bytes = gzipSync(bytes);
    return bytes;
  };

  it.each<readonly [string, string, () => Buffer]>([
    ['gzip of 1:1000', 'gzip', () => nested(1)],
    ['ten layers of gzip', Array.from({ length: 10 }, () => 'gzip').join(', '), () => nested(10)],
    ['brotli', 'br', () => brotliCompressSync(chatOf(1000))],
    ['zstd', 'zstd', () => chatOf(1000)],
    ['deflate that is none', 'deflate', () => Buffer.from('not deflate at all')],
    ['gzip by its old name', 'x-gzip', () => nested(1)],
    ['identity and gzip', 'identity, gzip', () => nested(1)],
  ])('row 18: refuses %s with 415 and opens none of it', async (_name, encoding, body) => {
    const before = process.memoryUsage().arrayBuffers;
    const answer = await sendRaw(harness.url, rawCall({ lines: [`content-encoding: ${encoding}`], body: body() }));
    expect([answer.status, codeOf(answer.body), answer.headers['connection']]).toEqual([
      415,
      'unsupported_encoding',
      'close',
    ]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MiB);
  });
});

describe('a body that is no plain JSON', () => {
  const chat = (rest: string): string =>
    `{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"x"}]${rest}}`;
  const inMessage = (rest: string): string =>
    `{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"x"${rest}}]}`;
  const withText = (text: Buffer | string): Buffer =>
    Buffer.concat([
      Buffer.from('{"model":"gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"'),
      Buffer.from(text),
      Buffer.from('"}]}'),
    ]);

  it.each<readonly [string, string | Buffer, string]>([
    ['row 20: refuses 200,000 nested arrays', chat(`,"x":${'['.repeat(200_000)}${']'.repeat(200_000)}`), 'too_deep'],
    ['row 20: refuses 200,000 nested arrays that never close', chat(`,"x":${'['.repeat(200_000)}`), 'too_deep'],
    ['row 20: refuses 65 nested objects', chat(`,"x":${'{"a":'.repeat(64)}1${'}'.repeat(64)}`), 'too_deep'],
    ['row 21: refuses __proto__ at the top', chat(',"__proto__":{"x":1}'), 'forbidden_key'],
    ['row 21: refuses __proto__ in a message', inMessage(',"__proto__":{"x":1}'), 'forbidden_key'],
    ['row 21: refuses __proto__ written with an escape', chat(',"__prot\\u006f__":{"x":1}'), 'forbidden_key'],
    ['row 21: refuses constructor.prototype', chat(',"constructor":{"prototype":{"x":1}}'), 'forbidden_key'],
    ['row 22: refuses two models', chat(',"model":"gpt-4o"'), 'duplicate_key'],
    ['row 22: refuses two caps', chat(',"max_tokens":100000'), 'duplicate_key'],
    ['row 22: refuses two contents in one message', inMessage(',"content":"yyyy"'), 'duplicate_key'],
    [
      'row 22: refuses two stream options',
      chat(',"stream":true,"stream_options":{"include_usage":true,"include_usage":false}'),
      'duplicate_key',
    ],
    ['row 22: refuses a key that differs in letter case only', chat(',"Model":"gpt-4o"'), 'ambiguous_key'],
    ['new row: refuses a duplicate key written with an escape', chat(',"mod\\u0065l":"gpt-4o"'), 'duplicate_key'],
    [
      'new row: refuses a duplicate cap written with escapes',
      chat(',"\\u006d\\u0061x_tokens":100000'),
      'duplicate_key',
    ],
    ['row 23: refuses invalid UTF-8', withText(Buffer.from([0xff, 0xfe])), 'invalid_utf8'],
    ['row 23: refuses a character that breaks off', withText(Buffer.from([0xe2, 0x82])), 'invalid_utf8'],
    ['row 23: refuses an overlong slash', withText(Buffer.from([0xc0, 0xaf])), 'invalid_utf8'],
    ['row 23: refuses an overlong quote', withText(Buffer.from([0xc0, 0xa2])), 'invalid_utf8'],
    ['row 23: refuses a lone surrogate as bytes', withText(Buffer.from([0xed, 0xa0, 0x80])), 'invalid_utf8'],
    [
      'row 23: refuses a byte order mark',
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), chatOf(200)]),
      'invalid_utf8',
    ],
    ['row 23: refuses UTF-16', Buffer.from(chat(''), 'utf16le'), 'invalid_json'],
    ['row 23: refuses an empty body', '', 'invalid_json'],
    ['row 23: refuses a body that breaks off', chat('').slice(0, -3), 'invalid_json'],
    ['row 23: refuses two bodies in one', chat('') + chat(''), 'invalid_json'],
    ['row 23: refuses a body that is no object', '[]', 'invalid_json'],
  ])('%s', async (_name, body, code) => {
    const before = harness.mock.log.length;
    const answer = await sendRaw(harness.url, rawCall({ body }));
    expect([answer.status, codeOf(answer.body)]).toEqual([400, code]);
    expect(harness.mock.log).toHaveLength(before);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('row 21: a prototype named in the query changes nothing', async () => {
    const { status } = await callJson(`${harness.url}${CHAT_PATH}?__proto__[x]=1&constructor.prototype.x=1`, aChat());
    expect(status).toBe(200);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('row 22: the keys inside a tool schema, which nobody prices, may be any', async () => {
    const parameters = {
      type: 'object',
      properties: { model: { type: 'string' }, Model: { type: 'string' }, max_tokens: { type: 'null' } },
    };
    const { status } = await callJson(
      `${harness.url}${CHAT_PATH}`,
      aChat({ tools: [{ type: 'function', function: { name: 'f', parameters } }] }),
    );
    expect(status).toBe(200);
  });

  it('row 23: a control character in a text is for the provider to judge, and breaks no refusal', async () => {
    const limits = [aLimit({ max: '1' })];
    const spent = await startHarness({
      snapshot: aSnapshot({ budgets: [aSnapshotBudget({ waitSeconds: 0, limits })] }),
      prices,
    });
    opened.push(spent);
    const passed = await sendRaw(harness.url, rawCall({ body: withText('a\u0001b') }));
    expect([passed.status, passed.body.toString()]).toEqual([400, expect.stringContaining('could not parse')]);
    const refused = await sendRaw(spent.url, rawCall({ body: withText('a\u0001b') }));
    expect([refused.status, codeOf(refused.body)]).toEqual([400, 'budget_never_fits']);
  });

  it('row 23: passes an escaped lone surrogate as it stands, and holds at least its cost', async () => {
    await expectExactAndHeld(withText('\\ud800'.repeat(50)), 50 * 3 + 3);
  });

  it.each(['\ufdfa', '\\ufdfa'])(
    'new row: 100,000 times U+FDFA (as %s) cost no more than was held, though a tokenizer may see 18 characters in each',
    async (written) => {
      await expectExactAndHeld(withText(written.repeat(100_000)), 1_800_000);
    },
  );

  /** Served byte for byte; the hold covers what the provider bills for so many tokens of input. */
  const expectExactAndHeld = async (body: Buffer, inputTokens: number): Promise<void> => {
    const wide = await startHarness({ snapshot: aSnapshot({ prices: withoutWindows(), budgets: [] }), prices });
    opened.push(wide);
    const answer = await sendRaw(wide.url, rawCall({ body, lines: [`x-mock-usage-input: ${String(inputTokens)}`] }));
    expect([answer.status, codeOf(answer.body)]).toEqual([200, undefined]);
    const [event] = await wide.events(1);
    const [billed] = wide.mock.log;
    expect([billed?.requestBytes, billed?.usage.input]).toEqual([body.length, inputTokens]);
    expect(event?.charged).toBe(billed?.billedNano);
    expect(event?.held).toBeGreaterThanOrEqual(billed?.billedNano ?? 0n);
  };
});

/** The shipped prices without any context window, so that nothing but its text bounds an input. */
const withoutWindows = (): Snapshot['prices'] => {
  const shipped = aSnapshot().prices;
  return { ...shipped, rows: shipped.rows.map(({ contextWindow: _, ...row }) => row) };
};
