/**
 * What passes through is not touched: the caller receives the bytes that the provider wrote, the provider those that the
 * caller wrote, but for the usage and the cap that a budget needs (design §5), and what was added is taken out again.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aLimit, aSnapshot, aSnapshotBudget, startHarness, type Harness } from '@tollgate/sidecar/testing';
import type { BilledCall } from '@tollgate/testkit';
import { eventOf } from './testing/event-of.ts';
import { post, sha256, type Bytes } from './testing/exchange-bytes.ts';
import { WIRE_CALLS, type WireCall } from './testing/wire-calls.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

type Headers = Readonly<Record<string, string>>;

/** Ways to write the same answer that a careless reader would change or choke on. */
const FRAMINGS: readonly (readonly [string, Headers])[] = [
  ['plain', {}],
  ['one byte at a time', { 'x-mock-split': '1', 'x-mock-output-tokens': '12' }],
  ['seven bytes at a time', { 'x-mock-split': '7', 'x-mock-output-tokens': '40' }],
  ['characters cut in two', { 'x-mock-split': 'characters' }],
  ['several tokens a chunk', { 'x-mock-chunk-tokens': '9' }],
  ['CRLF, keep-alives and a BOM', { 'x-mock-line-ending': 'crlf', 'x-mock-keep-alives': '3', 'x-mock-bom': '1' }],
  ['bare CR', { 'x-mock-line-ending': 'cr', 'x-mock-split': '11', 'x-mock-output-tokens': '40' }],
  ['no final newline', { 'x-mock-no-final-newline': '1' }],
  ['no final CRLF', { 'x-mock-no-final-newline': '1', 'x-mock-line-ending': 'crlf', 'x-mock-split': '40' }],
];
const COMMENTED = ['comments', { 'x-mock-comments': '1', 'x-mock-split': '13', 'x-mock-output-tokens': '40' }] as const;

let unbound: Harness;
let hard: Harness;
let audit: Harness;
const plenty = [aLimit({ max: '25000000000' })];
beforeAll(async () => {
  unbound = await startHarness({ snapshot: aSnapshot({ budgets: [] }) });
  hard = await startHarness({ snapshot: aSnapshot({ budgets: [aSnapshotBudget({ limits: plenty })] }) });
  const audited = aSnapshotBudget({ enforcement: 'Audit', limits: [aLimit({ max: '1' })] });
  audit = await startHarness({ snapshot: aSnapshot({ budgets: [audited] }) });
});
afterAll(async () => {
  for (const each of [unbound, hard, audit]) await each.stop();
});

/** What the caller got, beside what the provider's own log says that it received and wrote. */
const through = async (
  harness: Harness,
  path: string,
  body: string,
  headers: Headers = {},
): Promise<{ readonly got: Bytes; readonly log: BilledCall }> => {
  const got = await post(`${harness.url}${path}`, body, headers);
  await harness.mock.untilIdle();
  const log = harness.mock.log.at(-1);
  if (log === undefined) throw new Error('the provider was not called');
  return { got, log };
};

const expectSame = async (harness: Harness, { path, body }: WireCall, headers: Headers): Promise<void> => {
  const sent = JSON.stringify(body);
  const { got, log } = await through(harness, path, sent, headers);
  expect([got.status, got.body.length, sha256(got.body)]).toEqual([200, log.responseBytes, log.responseSha256]);
  expect(log.requestSha256).toBe(sha256(sent));
};

const named = WIRE_CALLS.map((call) => [call.name, call] as const);

describe.each(named)('%s', (_name, call) => {
  const framings = call.isStream ? [...FRAMINGS, COMMENTED] : FRAMINGS.filter(([name]) => !/CR|newline/.test(name));

  it.each(framings)('passes both ways as it came, with no budget: %s', async (_framing, headers) => {
    await expectSame(unbound, call, headers);
  });

  it.each(framings)('passes both ways as it came, with a Hard budget and all it asks for: %s', async (_f, headers) => {
    await expectSame(hard, call, headers);
  });
});

describe('size', () => {
  const sizes = [KIB, 64 * KIB - 500, 64 * KIB + 500, MIB, 20 * MIB].map(String);
  const large = named.filter(([name]) => /^(chat|messages|generateContent as)/.test(name));

  it.each(large.flatMap(([name, call]) => sizes.map((size) => [name, size, call] as const)))(
    'changes nothing in %s of %s bytes',
    async (_name, size, call) => {
      await expectSame(hard, call, { 'x-mock-body-bytes': size });
    },
  );

  it('changes nothing in a request of 20 MiB', async () => {
    const content = 'Brücke '.repeat((20 * MIB) / 8);
    const sent = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }], max_completion_tokens: 9 });
    const { got, log } = await through(unbound, '/openai/v1/chat/completions', sent);
    expect([got.status, log.requestBytes, log.requestSha256]).toEqual([200, Buffer.byteLength(sent), sha256(sent)]);
  });
});

describe('what a Hard budget has to add', () => {
  const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Wie viel? 🌉' }], stream: true };
  const bodies: readonly (readonly [string, string, string])[] = [
    ['chat', '/v1/chat/completions', JSON.stringify(chat)],
    ['chat of three choices', '/v1/chat/completions', JSON.stringify({ ...chat, n: 3 })],
    [
      'chat that says no',
      '/v1/chat/completions',
      JSON.stringify({ ...chat, stream_options: { include_usage: false, include_obfuscation: false } }, null, 2),
    ],
    ['completions', '/v1/completions', '{"model":"gpt-3.5-turbo-instruct","prompt":["a","b"],"stream":true}'],
  ];
  const rows = bodies.flatMap(([name, path, body]) =>
    FRAMINGS.map(([framing, headers]) => [name, framing, path, body, headers] as const),
  );

  it.each(rows)('is taken out of the answer again: %s, %s', async (_name, _framing, path, body, headers) => {
    const { got, log } = await through(hard, `/openai${path}`, body, headers);
    const plain = await post(`${hard.mock.url}${path}`, body, headers);
    expect(log.requestSha256).not.toBe(sha256(body)); // or there was nothing to take out
    expect(got.body.toString()).toBe(plain.body.toString());
    expect((await eventOf(hard, got.headers.get('x-tollgate-request-id'))).settle).toBe('usage');
  });

  it('leaves the comments in between as they are', async () => {
    const body = JSON.stringify(chat);
    const { got } = await through(hard, '/openai/v1/chat/completions', body, COMMENTED[1]);
    const plain = await post(`${hard.mock.url}/v1/chat/completions`, body, COMMENTED[1]);
    // The provider wrote one comment more: the one before the usage that Tollgate had asked for.
    const events = plain.body.toString().split('data: [DONE]');
    expect(got.body.toString()).toBe(events.join(': keep-alive\n\ndata: [DONE]'));
  });

  it('is put into the request and nothing else is', async () => {
    const body = '{ "messages" : [ {"role":"user","content":"h\\u00e9"} ],\t"model":"gpt-4o" ,"stream":true , "x":1e2}';
    const { got, log } = await through(hard, '/openai/v1/chat/completions', body);
    const cap = got.headers.get('x-tollgate-max-output-tokens') ?? '';
    const added = `"max_completion_tokens":${cap},"stream_options":{"include_usage":true},`;
    expect(log.requestSha256).toBe(sha256(`{${added}${body.slice(1)}`));
  });
});

describe('Audit', () => {
  const bare: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'a chat, streamed without usage or cap': {
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'é' }],
      stream: true,
    },
    'a chat without a cap': { model: 'gpt-4o', messages: [{ role: 'user', content: 'é' }] },
  };

  it.each(Object.entries(bare))('changes no byte of %s', async (name, body) => {
    const call = { name, path: '/openai/v1/chat/completions', providerPath: '', isStream: false, body };
    await expectSame(audit, call, {});
  });

  it.each(named)('changes no byte of %s, though it would have refused', async (_name, call) => {
    await expectSame(audit, call, {});
  });

  it('counts what it would have refused', async () => {
    const events = await audit.events(audit.mock.log.length);
    expect(events.every(({ counters }) => counters.every(({ wouldRefuse }) => wouldRefuse === true))).toBe(true);
  });
});
