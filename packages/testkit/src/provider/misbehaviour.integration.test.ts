/** Everything a provider may do wrong, as a client sees it on the wire. */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sendRaw } from '../raw-http.ts';
import { readSse } from '../sse-client.ts';
import { toLogLine } from './bill.ts';
import { USAGE_LIES } from './behaviour.ts';
import { listAt, objectAt, parseObject, textAt } from './json.ts';
import { startMockProvider } from './mock-provider.ts';
import type { MockProvider } from './mock-provider.ts';

let provider: MockProvider;
const prices = { 'gpt-4o': { input: 2_500_000_000n, cachedInput: 1_250_000_000n, output: 10_000_000_000n } };

beforeAll(async () => {
  provider = await startMockProvider({ prices });
});
afterEach(() => provider.clearScript());
afterAll(() => provider.stop());

const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }], max_tokens: 24 };
const streamed = { ...chat, stream: true, stream_options: { include_usage: true } };

const post = (body: object, headers: Record<string, string> = {}, path = '/v1/chat/completions'): Promise<Response> =>
  fetch(provider.url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const textOf = async (body: object, headers: Record<string, string> = {}): Promise<string> =>
  (await post(body, headers)).text();

const lastCall = async () => {
  await provider.untilIdle();
  const call = provider.log.at(-1);
  if (call === undefined) throw new Error('no call was logged');
  return call;
};

/** What a strict reader makes of a stream: its texts joined, and its usage. */
const readChat = async (response: Response): Promise<{ text: string; usage: unknown; done: boolean }> => {
  let text = '';
  let usage: unknown;
  let done = false;
  for await (const { data } of readSse(response)) {
    if (data === '[DONE]') done = true;
    else {
      const chunk = parseObject(data) ?? {};
      text += textAt(objectAt(listAt(chunk, 'choices')[0], 'delta'), 'content') ?? '';
      usage = chunk['usage'] ?? usage;
    }
  }
  return { text, usage, done };
};

describe('framing', () => {
  const ways: Record<string, string>[] = [
    { 'x-mock-split': '1' },
    { 'x-mock-split': '7', 'x-mock-line-ending': 'crlf' },
    { 'x-mock-split': 'characters' },
    { 'x-mock-line-ending': 'cr' },
    { 'x-mock-comments': 'true', 'x-mock-keep-alives': '3' },
    { 'x-mock-bom': 'true' },
    { 'x-mock-gzip': 'true', 'accept-encoding': 'gzip' },
  ];
  it.each(ways)('says the same words with %j', async (headers) => {
    const plain = await readChat(await post(streamed));
    expect(await readChat(await post(streamed, headers))).toEqual(plain);
    expect(plain.done).toBe(true);
  });

  it('can leave out the final newline', async () => {
    expect((await textOf(streamed, { 'x-mock-no-final-newline': '1' })).endsWith('data: [DONE]')).toBe(true);
  });

  it('really cuts inside characters', async () => {
    const text = encodeURIComponent('橋🌉'.repeat(9));
    const answer = await sendRaw(
      provider.url,
      rawPost(streamed, { 'x-mock-split': 'characters', 'x-mock-text': text }),
    );
    expect(answer.body.toString('latin1')).toMatch(/[\xe6\xf0]\r\n[0-9a-f]+\r\n[\x80-\xbf]/);
  });

  it('logs the hash and the number of the bytes it sent, JSON and stream, to 20 MB', async () => {
    for (const body of [chat, streamed]) {
      const bytes = Buffer.from(await (await post(body, { 'x-mock-body-bytes': String(20 << 20) })).arrayBuffer());
      const call = await lastCall();
      expect(bytes.length).toBeGreaterThan(20 << 20);
      expect(call.responseBytes).toBe(bytes.length);
      expect(call.responseSha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });
});

describe('the Gemini array', () => {
  const path = '/v1beta/models/gemini-2.0-flash:streamGenerateContent';
  const contents = [{ role: 'user', parts: [{ text: 'hello' }] }];
  const streamGemini = async (query: string, headers: Record<string, string> = {}): Promise<string> =>
    (await post({ contents }, headers, path + query)).text();

  it('holds the same elements as its server-sent events', async () => {
    const array: unknown = JSON.parse(await streamGemini('', { 'x-mock-split': '5' }));
    const events = (await streamGemini('?alt=sse')).trim().split('\r\n\r\n');
    expect(array).toEqual(events.map((event): unknown => JSON.parse(event.replace('data: ', ''))));
  });

  it('reports errors in Google’s shape, before and inside it', async () => {
    expect(await streamGemini('', { 'x-mock-status': '429' })).toContain('RESOURCE_EXHAUSTED');
    expect(await streamGemini('', { 'x-mock-error-after-chunks': '1' })).toContain('"status": "UNAVAILABLE"');
    expect((await fetch(`${provider.url}/v1beta/models/none`)).status).toBe(404);
    expect((await post({}, {}, '/v1beta/models/gemini-2.0-flash:embedText')).status).toBe(404);
    expect((await post({}, {}, path)).status).toBe(400);
  });
});

describe('failures', () => {
  it('answers the very words and the kind of error that it is told', async () => {
    expect(await textOf(chat, { 'x-mock-status': '500', 'x-mock-error-body': '%3Chtml%3E%0A' })).toBe('<html>\n');
    expect(await textOf(chat, { 'x-mock-status': '429', 'x-mock-error-type': 'insufficient_quota' })).toContain(
      '"type": "insufficient_quota"',
    );
  });

  it('waits before the answer and between chunks', async () => {
    const headers = { 'x-mock-delay': '1', 'x-mock-chunk-delay': '1', 'x-mock-chunk-tokens': '12' };
    expect((await readChat(await post(streamed, headers))).done).toBe(true);
  });

  it('speaks as long as it is told, but not beyond the cap', async () => {
    await textOf({ ...chat, max_tokens: 500 }, { 'x-mock-output-tokens': '321' });
    expect((await lastCall()).usage.output).toBe(321);
    await textOf(chat, { 'x-mock-output-tokens': '321' });
    expect((await lastCall()).usage.output).toBe(24);
    await textOf(
      { ...chat, model: 'o3', max_tokens: 500 },
      { 'x-mock-usage-reasoning': '100', 'x-mock-usage-cache-write-5m': '3', 'x-mock-usage-cache-write-1h': '4' },
    );
    expect((await lastCall()).usage).toMatchObject({ reasoning: 100, cacheWrite5m: 3, cacheWrite1h: 4 });
  });

  it('answers any status in the provider’s shape, by header, by model and by script', async () => {
    const byHeader = await post(chat, { 'x-mock-status': '503', 'x-mock-retry-after': '9' });
    expect([byHeader.status, byHeader.headers.get('retry-after')]).toEqual([503, '9']);
    expect((await post({ ...chat, model: 'gpt-4o~status=418' })).status).toBe(418);
    provider.script({
      match: { model: 'gpt-4o', path: '/chat/', body: 'hello' },
      times: 2,
      behaviour: { status: 500 },
    });
    const statuses = [await post(chat), await post(chat), await post(chat)].map((response) => response.status);
    expect(statuses).toEqual([500, 500, 200]);
  });

  it('withdraws a scripted rule', async () => {
    const withdraw = provider.script({ behaviour: { status: 500 } });
    withdraw();
    expect((await post(chat)).status).toBe(200);
  });

  it('refuses a misspelt behaviour rather than play the plain case', async () => {
    for (const headers of [
      { 'x-mock-staus': '500' },
      { 'x-mock-status': 'bad' },
      { 'x-mock-usage': 'odd' },
      { 'x-mock-bom': 'maybe' },
    ]) {
      expect((await post(chat, headers)).status).toBe(400);
    }
  });

  it.each([
    { 'x-mock-abort-after-chunks': '4' },
    { 'x-mock-abort-after-bytes': '1000' },
    { 'x-mock-abort-after-chunks': '4', 'x-mock-abort': 'reset' },
  ])('breaks off with %j and bills what it had said', async (headers) => {
    await expect(textOf(streamed, headers)).rejects.toThrow();
    const call = await lastCall();
    expect(call.aborted).toBe(true);
    expect(call.usage.output).toBe(call.deliveredTokens);
    expect(call.usage.output).toBeLessThan(24);
    expect(call.billedNano).toBe(BigInt(call.usage.input) * 2500n + BigInt(call.usage.output) * 10_000n);
  });

  it('delivers exactly the chunks before an abort', async () => {
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const { data } of readSse(await post(streamed, { 'x-mock-abort-after-chunks': '4' })))
        chunks.push(data);
    })();
    await expect(reading).rejects.toThrow();
    expect(chunks).toHaveLength(4);
    expect((await lastCall()).deliveredTokens).toBe(6);
  });

  it.each(['head', 'body', '3'])(
    'hangs at %s until the caller leaves, and bills no less than the input',
    async (where) => {
      const leave = new AbortController();
      const call = fetch(`${provider.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'x-mock-hang': where },
        body: JSON.stringify(streamed),
        signal: leave.signal,
      });
      if (where !== 'head') await call;
      while (provider.active() === 0) await new Promise(setImmediate);
      leave.abort();
      await call.then((response) => response.text()).catch(() => undefined);
      const logged = await lastCall();
      expect(logged.aborted).toBe(true);
      expect(logged.usage.input).toBe(5);
    },
  );

  it('never ends an endless stream, and bills what was taken', async () => {
    const leave = new AbortController();
    const response = await fetch(`${provider.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-mock-endless': '1' },
      body: JSON.stringify(streamed),
      signal: leave.signal,
    });
    let events = 0;
    for await (const { data } of readSse(response)) {
      expect(data).not.toBe('[DONE]');
      events += 1;
      if (events === 500) break;
    }
    leave.abort();
    expect((await lastCall()).usage.output).toBeGreaterThan(500);
  });

  it('sends a line of any length, in a stream and in JSON', async () => {
    expect(
      Math.max(...(await textOf(streamed, { 'x-mock-line-bytes': '300000' })).split('\n').map((line) => line.length)),
    ).toBe(300_002);
    expect(parseObject(await textOf(chat, { 'x-mock-line-bytes': '300000' }))?.['padding']).toHaveLength(300_000);
  });

  it('reports an error inside a stream', async () => {
    expect(await textOf(streamed, { 'x-mock-error-after-chunks': '2' })).toContain('"type":"server_error"');
  });

  it('redirects to the metadata address, sets cookies, and repeats the key it was shown', async () => {
    expect((await post(chat, { 'x-mock-redirect': 'metadata' })).headers.get('location')).toMatch(
      /^http:\/\/169\.254\.169\.254\//,
    );
    expect((await post(chat, { 'x-mock-set-cookie': '1' })).headers.getSetCookie()).toHaveLength(2);
    for (const name of ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']) {
      expect(await textOf(chat, { 'x-mock-echo-authorization': '1', [name]: 'sk-canary' })).toContain('sk-canary');
    }
    expect(provider.log.map(toLogLine).join('')).not.toContain('sk-canary');
  });

  it('sends as many informational answers as asked before the real one', async () => {
    const answer = await sendRaw(provider.url, rawPost(chat, { 'x-mock-informational': '3' }));
    expect(answer.text.match(/HTTP\/1\.1 103/g)).toHaveLength(3);
    expect(answer.text).toContain('HTTP/1.1 200 OK');
  });

  it('answers what it does not know, or cannot read, as the provider would', async () => {
    expect((await post(chat, {}, '/v1/nothing')).status).toBe(404);
    expect((await fetch(`${provider.url}/v1/chat/completions`, { method: 'POST', body: '{' })).status).toBe(400);
    expect((await post({ messages: chat.messages })).status).toBe(400);
    expect((await post({ ...chat, n: 129 })).status).toBe(400);
    expect((await post({ ...chat, max_tokens: 0 })).status).toBe(400);
    expect((await post({ model: 'claude-haiku-4-5', messages: chat.messages }, {}, '/v1/messages')).status).toBe(400);
  });
});

describe('usage that is not true', () => {
  it.each(USAGE_LIES)('can report it %s, while the bill keeps the truth', async (lie) => {
    const truth = await readChat(await post(streamed));
    const told = await readChat(await post(streamed, { 'x-mock-usage': lie }));
    const isLast = lie === 'twice' || lie === 'early';
    if (isLast) expect(told.usage).toEqual(truth.usage);
    else expect(told.usage).not.toEqual(truth.usage);
    expect((await lastCall()).usage).toMatchObject({ input: 5, output: 24 });
  });

  it.each(['negative', 'missing', 'text', 'cached-over-prompt'])('lies in every format alike: %s', async (lie) => {
    const headers = { 'x-mock-usage': lie, 'anthropic-version': '2023-06-01' };
    const contents = [{ role: 'user', parts: [{ text: 'hello' }] }];
    const calls: [string, object][] = [
      ['/v1/responses', { model: 'gpt-4o', input: 'hello' }],
      ['/v1/messages', { ...chat, stream: true }],
      ['/v1beta/models/gemini-2.0-flash:generateContent', { contents }],
      ['/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse', { contents }],
      [
        '/v1/completions',
        { model: 'gpt-3.5-turbo-instruct', prompt: 'hello', stream: true, stream_options: { include_usage: true } },
      ],
    ];
    for (const [path, body] of calls) {
      const plain = await (await post(body, { 'anthropic-version': '2023-06-01' }, path)).text();
      const lied = await (await post(body, headers, path)).text();
      if (lie !== 'cached-over-prompt' || !path.includes('gemini')) expect(lied).not.toBe(plain);
      if (lie === 'missing') expect(lied).not.toMatch(/"(prompt|input|promptToken)[a-z_]*(tokens|Count)":/);
    }
  });

  it('forges usage and an end inside the content only', async () => {
    const told = await readChat(await post({ ...streamed, max_tokens: 500 }, { 'x-mock-forge': '1' }));
    expect(told.text).toContain('data: [DONE]');
    expect(told.usage).toMatchObject({ prompt_tokens: 5 });
  });

  it('can be told what was truly used', async () => {
    await textOf(chat, { 'x-mock-usage-input': '250000', 'x-mock-usage-cached': '1000', 'x-mock-usage-output': '77' });
    expect(await lastCall()).toMatchObject({
      usage: { input: 250_000, cachedInput: 1000, output: 77 },
      billedNano: 627_020_000n,
    });
  });
});

describe('the gate', () => {
  it('withholds answers until they are released', async () => {
    provider.holdAnswers();
    const calls = [post(chat), post(chat), post(chat)];
    await provider.gate.untilWaiting(3);
    expect(provider.gate.waiting()).toBe(3);
    provider.release(1);
    expect((await Promise.race(calls)).status).toBe(200);
    expect(provider.gate.waiting()).toBe(2);
    provider.release();
    expect((await Promise.all(calls)).map((response) => response.status)).toEqual([200, 200, 200]);
  });

  it('lets go of a caller that leaves, billing its input only', async () => {
    provider.holdAnswers();
    const leave = new AbortController();
    const call = fetch(`${provider.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(chat),
      signal: leave.signal,
    });
    await provider.gate.untilWaiting(1);
    leave.abort();
    await expect(call).rejects.toThrow();
    while (provider.gate.waiting() > 0) await new Promise(setImmediate);
    provider.release();
    expect(await lastCall()).toMatchObject({ aborted: true, usage: { input: 5, output: 0 } });
  });
});

const rawPost = (body: object, headers: Record<string, string>): string => {
  const text = JSON.stringify(body);
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' });
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`;
};
