/** Bad input, sixth theme: the fields that decide what a call can cost (reliability.md 4.3). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readSse, startRawUpstream, type RawUpstream } from '@tollgate/testkit';
import type { SnapshotBudget } from '@tollgate/api';
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
import { CHAT_PATH } from '../testing/raw-call.ts';

const prices = makeMockPrices();
const THOUSAND_DOLLARS = aLimit({ max: '1000000000000' });
let harness: Harness;

/** Those that one test has for itself. */
const opened: Harness[] = [];
const upstreams: RawUpstream[] = [];

const open = async (options: HarnessOptions): Promise<Harness> => {
  const own = await startHarness({ prices, ...options });
  opened.push(own);
  return own;
};

const withBudget = (stated: Partial<SnapshotBudget>): Promise<Harness> =>
  open({ snapshot: aSnapshot({ budgets: [aSnapshotBudget({ limits: [THOUSAND_DOLLARS], ...stated })] }) });

beforeAll(async () => {
  harness = await startHarness({
    snapshot: aSnapshot({ budgets: [aSnapshotBudget({ limits: [THOUSAND_DOLLARS] })] }),
    prices,
  });
});

afterEach(async () => {
  await Promise.all([...opened.splice(0), ...upstreams.splice(0)].map((each) => each.stop()));
});

afterAll(() => harness.stop());

const chat = (body: unknown, on = harness, path = CHAT_PATH): Promise<CallAnswer> => callJson(`${on.url}${path}`, body);

/** The event of one call that is served. */
const eventOf = async (body: unknown, on = harness, path = CHAT_PATH): Promise<LedgerEvent> => {
  const before = on.controlPlane.events.length;
  const answer = await chat(body, on, path);
  expect([answer.status, answer.error]).toEqual([200, null]);
  const event = (await on.events(before + 1))[before];
  if (event === undefined) throw new Error('no event');
  return event;
};

/** Refused with 400 for this field; nothing sent, nothing held. */
const expectBadField = async (body: string, param: string, path = CHAT_PATH): Promise<void> => {
  const before = harness.mock.log.length;
  const answer = await chat(body, harness, path);
  expect([answer.status, answer.error]).toEqual([400, expect.objectContaining({ code: 'invalid_value', param })]);
  expect(harness.mock.log).toHaveLength(before);
};

const stated = (fields: string): string =>
  `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}],${fields}}`;

/** Captures what reaches the provider. */
const capture = async (
  snapshot = aSnapshot({ budgets: [aSnapshotBudget({ limits: [THOUSAND_DOLLARS] })] }),
): Promise<{ on: Harness; sent: () => Record<string, unknown> }> => {
  const body =
    '{"id":"x","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}';
  const upstream = await startRawUpstream(async ({ write }) => {
    await write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`,
    );
  });
  upstreams.push(upstream);
  const on = await open({ snapshot, upstream: upstream.url });
  return {
    on,
    sent: () => JSON.parse(upstream.requests.at(-1)?.split('\r\n\r\n')[1] ?? '') as Record<string, unknown>,
  };
};

describe('the cap on the output', () => {
  it.each(['-1', '0', '1.5', '"100"', '1e400', '9007199254740993', '[]', '{}', 'true', '1e2', '100.0', '-0'])(
    'row 24: refuses max_tokens %s',
    async (value) => {
      await expectBadField(stated(`"max_tokens":${value}`), 'max_tokens');
      await expectBadField(stated(`"max_completion_tokens":${value}`), 'max_completion_tokens');
    },
  );

  it.each([
    [
      '/anthropic/v1/messages',
      '{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"x"}],"max_tokens":-1}',
      'max_tokens',
    ],
    ['/openai/v1/responses', '{"model":"gpt-4o-mini","input":"x","max_output_tokens":1.5}', 'max_output_tokens'],
    ['/openai/v1/completions', '{"model":"gpt-3.5-turbo-instruct","prompt":"x","max_tokens":0}', 'max_tokens'],
  ])("row 24: refuses a bad cap on %s, in that provider's own shape", async (path, body, param) => {
    const answer = await chat(body, harness, path);
    expect([answer.status, answer.error?.message]).toEqual([400, expect.stringContaining(param)]);
  });

  it('row 24: refuses a bad cap of Gemini', async () => {
    const answer = await chat(
      '{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"maxOutputTokens":"1e3"}}',
      harness,
      '/gemini/v1beta/models/gemini-2.5-flash:generateContent',
    );
    expect([answer.status, answer.error?.status]).toEqual([400, 'INVALID_ARGUMENT']);
  });

  it('row 24: takes null for a cap that is not there', async () => {
    const { on, sent } = await capture();
    for (const field of ['max_tokens', 'max_completion_tokens']) {
      const answer = await chat(stated(`"${field}":null`), on);
      expect(answer.status).toBe(200);
      const put = Number(answer.headers.get('x-tollgate-max-output-tokens'));
      expect(put).toBeGreaterThan(0);
      expect(sent()['max_completion_tokens']).toBe(put);
    }
  });

  it('row 25: holds on the larger of two caps that disagree', async () => {
    const small = await eventOf(stated('"max_tokens":10'));
    const large = await eventOf(stated('"max_tokens":1000'));
    const both = await eventOf(stated('"max_tokens":10,"max_completion_tokens":1000'));
    const turned = await eventOf(stated('"max_tokens":1000,"max_completion_tokens":10'));
    expect(large.held).toBeGreaterThan(small.held);
    // The body with two caps is longer by some bytes, and each byte may be a token.
    for (const event of [both, turned]) expect(event.held).toBeGreaterThanOrEqual(large.held);
  });

  it('row 27: puts a cap in where there is none, and says so', async () => {
    const { on, sent } = await capture();
    const answer = await chat('{"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}]}', on);
    const [event] = await on.events(1);
    expect([answer.status, sent()['max_completion_tokens']]).toEqual([
      200,
      Number(answer.headers.get('x-tollgate-max-output-tokens')),
    ]);
    expect(event?.held).toBeGreaterThanOrEqual(
      (BigInt(String(sent()['max_completion_tokens'])) * 600_000_000n) / 1_000_000n,
    );
  });

  it('row 27: leaves a cap that the caller gave as it is', async () => {
    const { on, sent } = await capture();
    const answer = await chat(stated('"max_tokens":7'), on);
    expect([
      answer.headers.get('x-tollgate-max-output-tokens'),
      sent()['max_tokens'],
      sent()['max_completion_tokens'],
    ]).toEqual([null, 7, undefined]);
  });
});

describe('how many answers', () => {
  it.each(['0', '129', '1000000000', '-1', '1.5', '"2"', '[]'])('row 26: refuses n %s', async (value) => {
    await expectBadField(stated(`"max_tokens":5,"n":${value}`), 'n');
  });

  it('row 26: refuses best_of 1e9', async () => {
    await expectBadField(
      '{"model":"gpt-3.5-turbo-instruct","prompt":"x","best_of":1000000000}',
      'best_of',
      '/openai/v1/completions',
    );
  });

  it('row 26: holds every one of n answers, and of best_of', async () => {
    const outputOf = async (body: string, path = CHAT_PATH): Promise<bigint> =>
      (await eventOf(body, harness, path)).held;
    const one = await outputOf(stated('"max_tokens":1000,"n":1'));
    const most = await outputOf(stated('"max_tokens":1000,"n":128'));
    // $0.60 a million tokens of output.
    expect(most - one).toBeGreaterThanOrEqual((127n * 1000n * 600_000_000n) / 1_000_000n);
    const text = '{"model":"gpt-3.5-turbo-instruct","prompt":"x","max_tokens":100,"best_of":1}';
    const path = '/openai/v1/completions';
    const single = await outputOf(text, path);
    const best = await outputOf(text.replace('"best_of":1', '"best_of":20,"n":2'), path);
    // $2 a million.
    expect(best - single).toBeGreaterThanOrEqual(19n * 100n * 2_000n);
  });

  it('row 26: logprobs cost nothing, so any number of them changes no hold', async () => {
    const few = await eventOf(stated('"max_tokens":10,"logprobs":true,"top_logprobs":1111111111'));
    const many = await eventOf(stated('"max_tokens":10,"logprobs":true,"top_logprobs":9999999999'));
    expect(many.held).toBe(few.held);
  });
});

describe('streams', () => {
  it.each(['"true"', '1', '0', '"false"', '[]', '{}'])('row 28: refuses stream %s', async (value) => {
    await expectBadField(stated(`"stream":${value}`), 'stream');
  });

  it.each(['"false"', '0'])('row 28: refuses include_usage %s', async (value) => {
    await expectBadField(
      stated(`"stream":true,"stream_options":{"include_usage":${value}}`),
      'stream_options.include_usage',
    );
  });

  it.each(['', ',"stream_options":{"include_usage":false}', ',"stream_options":{}', ',"stream_options":null'])(
    'row 28: asks for the usage of a stream that says "%s", charges by it, and takes it out again',
    async (options) => {
      const before = harness.controlPlane.events.length;
      const answer = await chat(stated(`"max_tokens":20,"stream":true${options}`));
      expect(answer.status).toBe(200);
      expect(answer.text).toContain('[DONE]');
      expect(answer.text).not.toMatch(/"usage":\s*\{|"choices":\s*\[\]/);
      const event = (await harness.events(before + 1))[before];
      expect([event?.settle, event?.charged]).toEqual(['usage', harness.mock.log.at(-1)?.billedNano]);
    },
  );
});

describe('the model', () => {
  const refusing = (): Promise<Harness> =>
    withBudget({ onUnpriced: { action: 'Refuse', inputPerMillion: null, outputPerMillion: null } });

  it.each(['no-such-model', 'gpt-4о-mini', 'gpt-4o-mini-turbo', 'GPT4O', 'gpt_4o_mini'])(
    'row 29: refuses "%s", which has no price, by its exact name',
    async (model) => {
      const on = await refusing();
      const answer = await chat(aChat({ model }), on);
      expect([answer.status, answer.error?.code]).toEqual([403, 'unpriced_model']);
      expect(on.mock.log).toHaveLength(0);
    },
  );

  it.each([
    'gpt-4o-mini\n',
    'gpt-4o\u0000',
    'gpt-4o\u001b[31m',
    'gpt-4o\u202e',
    'gpt-4o\u200b',
    'x'.repeat(10_240),
    '',
  ])('row 29: refuses the name %j', async (model) => {
    await expectBadField(JSON.stringify(aChat({ model })), 'model');
  });

  it.each([1, [], {}, true])('row 29: refuses the name %j, which is no text', async (model) => {
    await expectBadField(JSON.stringify(aChat({ model })), 'model');
  });

  it('row 29: holds an alias of a dearer model at the price of what is sent', async () => {
    const route = aSnapshotRoute({ rules: [aRule({ models: ['cheap'], backends: [aBackend({ model: 'gpt-4o' })] })] });
    const on = await open({
      snapshot: aSnapshot({ budgets: [aSnapshotBudget({ limits: [THOUSAND_DOLLARS] })], routes: [route] }),
    });
    const dear = await eventOf(aChat({ model: 'gpt-4o' }), on);
    const alias = await eventOf(aChat({ model: 'cheap' }), on);
    const cheap = await eventOf(aChat({ model: 'gpt-4o-mini' }), on);
    expect(alias.held).toBeGreaterThan(cheap.held * 10n);
    expect([alias.modelAsked, alias.modelSent, alias.priceRow?.model]).toEqual([
      'cheap',
      'gpt-4o',
      dear.priceRow?.model,
    ]);
    expect(alias.charged).toBe(on.mock.log.find(({ id }) => id === 2)?.billedNano);
  });

  it('row 29: a budget for one model binds its dated name too, and no other that begins like it', async () => {
    const on = await withBudget({
      limits: [aLimit({ name: 'mini', max: '1', models: ['gpt-4o-mini*'] })],
      waitSeconds: 0,
    });
    const statuses = [];
    for (const model of ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'gpt-4o'])
      statuses.push((await chat(aChat({ model }), on)).status);
    expect(statuses).toEqual([400, 400, 200]);
  });
});

describe('a call whose cost its body does not bound', () => {
  const CASES: readonly (readonly [string, string, unknown])[] = [
    [
      'a hosted tool',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', max_output_tokens: 20, tools: [{ type: 'web_search' }] },
    ],
    [
      'a background answer',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', max_output_tokens: 20, background: true },
    ],
    [
      'a former answer',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', max_output_tokens: 20, previous_response_id: 'resp_1' },
    ],
    [
      'a stored conversation',
      '/openai/v1/responses',
      { model: 'gpt-4o-mini', input: 'x', max_output_tokens: 20, conversation: 'conv_1' },
    ],
    ['a search', CHAT_PATH, aChat({ web_search_options: {} })],
    [
      'a stored file',
      CHAT_PATH,
      aChat({ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] }),
    ],
  ];

  it.each(CASES)('row 30: refuses %s where the budget refuses such calls', async (_name, path, body) => {
    const on = await withBudget({ onUnboundable: { action: 'Refuse', ceiling: null } });
    const answer = await chat(body, on, path);
    expect([answer.status, answer.error?.code]).toEqual([400, 'unboundable_request']);
    expect(on.mock.log).toHaveLength(0);
  });

  it.each(CASES)(
    'row 30: holds the whole context window for %s where the budget allows them, and marks the call',
    async (_name, path, body) => {
      await expectHeldAtWindow(path, body);
    },
  );

  const expectHeldAtWindow = async (path: string, body: unknown): Promise<void> => {
    const before = harness.controlPlane.events.length;
    // The provider may not know the answer that is named: what was held before it was asked is what counts.
    await chat(body, harness, path);
    const event = (await harness.events(before + 1))[before];

    // 128,000 tokens at $0.15 a million.
    expect(event?.held).toBeGreaterThanOrEqual(19_200_000n);
    expect(event?.unproven).toBe(true);
  };

  it('row 30: refuses a batch, whose price is not read', async () => {
    const answer = await chat(
      { input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' },
      harness,
      '/openai/v1/batches',
    );
    expect([answer.status, answer.error?.code]).toEqual([400, 'unboundable_request']);
  });
});

describe('a text that looks like the protocol', () => {
  const FORGED =
    'data: [DONE]\r\n\r\nevent: message_stop\r\ndata: {"usage":{"prompt_tokens":0,"completion_tokens":0}}\n\n: x\r\r';

  it.each([false, true])(
    'row 33: is content and nothing else, in the prompt and in the answer (stream %j)',
    async (stream) => {
      const before = harness.controlPlane.events.length;
      const answer = await fetch(`${harness.url}${CHAT_PATH}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-mock-text': encodeURIComponent(FORGED),
          'x-mock-split': '7',
        },
        body: JSON.stringify(aChat({ stream, max_tokens: 500, messages: [{ role: 'user', content: FORGED }] })),
      });
      expect(answer.status).toBe(200);
      const said: string[] = [];
      if (stream) for await (const { data } of readSse(answer)) said.push(data === '[DONE]' ? '' : contentOf(data));
      else said.push(contentOf(await answer.text()));
      expect(said.join('')).toBe(FORGED);
      const event = (await harness.events(before + 1))[before];
      expect([event?.settle, event?.charged]).toEqual(['usage', harness.mock.log.at(-1)?.billedNano]);
    },
  );
});

/** Of a chunk of a stream, or of a whole answer. */
const contentOf = (data: string): string => {
  const { choices } = JSON.parse(data) as {
    choices: { delta?: { content?: string }; message?: { content: string } }[];
  };
  return choices[0]?.delta?.content ?? choices[0]?.message?.content ?? '';
};
