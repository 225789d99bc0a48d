/** Anthropic's own client, unmodified but for its base URL: what it gets through the proxy is what the provider says. */
import Anthropic, { BadRequestError, RateLimitError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aLimit, aSnapshot, aSnapshotBudget, startHarness, type Harness } from '@tollgate/sidecar/testing';
import { countRefusals } from '../testing/refusals.ts';

const model = 'claude-haiku-4-5';
const max_tokens = 500;
const messages = [{ role: 'user' as const, content: 'What does the bridge cost?' }];
const asking = [{ role: 'user' as const, content: 'How is the weather?' }];
const tools = [
  { name: 'get_weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } },
];
const thinking = { type: 'enabled' as const, budget_tokens: 1024 };

/** With the client's default of two retries. */
const through = ({ url }: Harness): Anthropic => new Anthropic({ apiKey: 'sk-ant-test', baseURL: `${url}/anthropic` });
const direct = ({ mock }: Harness): Anthropic => new Anthropic({ apiKey: 'sk-ant-test', baseURL: mock.url });

const all = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const parts: T[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
};

const CALLS: readonly (readonly [string, (client: Anthropic) => Promise<unknown>])[] = [
  ['a message', (client) => client.messages.create({ model, messages, max_tokens })],
  [
    'a message, streamed',
    async (client) => all(await client.messages.create({ model, messages, max_tokens, stream: true })),
  ],
  ['a tool’s use', (client) => client.messages.create({ model, messages: asking, tools, max_tokens })],
  [
    'a tool’s use, streamed',
    (client) => client.messages.stream({ model, messages: asking, tools, max_tokens }).finalMessage(),
  ],
  ['thoughts', (client) => client.messages.stream({ model, messages, max_tokens: 2000, thinking }).finalMessage()],
  ['a count of tokens', (client) => client.messages.countTokens({ model, messages })],
  ['a list of models', async (client) => all(await client.models.list())],
];

const start = (limit: Parameters<typeof aLimit>[0]): Promise<Harness> =>
  startHarness({ snapshot: aSnapshot({ budgets: [aSnapshotBudget({ limits: [aLimit(limit)] })] }) });

describe('with money left', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ max: '25000000000' });
  });
  afterAll(() => harness.stop());

  it.each(CALLS)('answers %s as the provider itself does', async (_name, call) => {
    expect(await call(through(harness))).toEqual(await call(direct(harness)));
  });

  it('lets a tool’s result make its round trip', async () => {
    const client = through(harness);
    const first = await client.messages.create({ model, messages: asking, tools, max_tokens });
    const use = first.content.find((block) => block.type === 'tool_use');
    expect(use?.input).toEqual({ city: 'Paris' });
    const later = await client.messages.create({
      model,
      max_tokens,
      tools,
      messages: [
        ...asking,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: use?.id ?? '', content: 'sunny' }] },
      ],
    });
    expect(later.content[0]).toMatchObject({ type: 'text', text: 'The tool said: sunny' });
  });

  it('raises the client’s own error when the provider breaks off a stream', async () => {
    const stream = through(harness).messages.stream(
      { model, messages, max_tokens },
      { headers: { 'x-mock-error-after-chunks': '5' } },
    );
    await expect(stream.finalMessage()).rejects.toThrow(/overloaded_error/);
  });
});

describe('with a budget that is exhausted', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ unit: 'requests', max: '1' });
    await through(harness).messages.create({ model, messages, max_tokens });
    await harness.events(1);
  });
  afterAll(() => harness.stop());

  it.each(CALLS.slice(0, 5))('raises RateLimitError for %s, after asking once', async (_name, call) => {
    const before = await countRefusals(harness, 'budget_exhausted');
    const refusal = call(through(harness));
    await expect(refusal).rejects.toBeInstanceOf(RateLimitError);
    await expect(refusal).rejects.toMatchObject({
      status: 429,
      error: { type: 'error', error: { type: 'rate_limit_error', code: 'budget_exhausted' } },
    });
    await expect(refusal).rejects.toThrow(/TokenBudget default\/chat, limit .*daily.* is exhausted/);
    expect(await countRefusals(harness, 'budget_exhausted')).toBe(before + 1);
    expect(harness.mock.log.filter(({ path }) => path.endsWith('/messages'))).toHaveLength(1);
  });

  it('still counts tokens and lists models', async () => {
    const client = through(harness);
    expect((await client.messages.countTokens({ model, messages })).input_tokens).toBe(10);
    expect((await client.models.list()).data.map(({ id }) => id)).toContain(model);
  });
});

describe('with a limit below what one call can cost', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ max: '1000' });
  });
  afterAll(() => harness.stop());

  it('raises BadRequestError, which says what was needed', async () => {
    const call = through(harness).messages.create({ model, messages, max_tokens: 1000 });
    await expect(call).rejects.toBeInstanceOf(BadRequestError);
    await expect(call).rejects.toThrow(/TokenBudget default\/chat, limit .*daily.*: this call can cost up to \$0\.0/);
    expect(await countRefusals(harness, 'budget_never_fits')).toBe(1);
  });
});
