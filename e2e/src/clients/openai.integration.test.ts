/** OpenAI's own client, unmodified but for its base URL: what it gets through the proxy is what the provider says. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI, { AzureOpenAI, BadRequestError, RateLimitError } from 'openai';
import {
  aBackend,
  aLimit,
  aRule,
  aSnapshot,
  aSnapshotBudget,
  aSnapshotRoute,
  startHarness,
  type Harness,
} from '@tollgate/sidecar/testing';
import { eventOf } from '../testing/event-of.ts';
import { countRefusals } from '../testing/refusals.ts';

const messages = [{ role: 'user' as const, content: 'What does the bridge cost?' }];
const asking = [{ role: 'user' as const, content: 'How is the weather?' }];
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters } }];
const responseTools = [{ type: 'function' as const, name: 'get_weather', strict: false, parameters }];
const max_output_tokens = 400; // Responses repeat the cap in their answer, so it has to be the caller's own

const all = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
  const parts: T[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
};

type Clients = { readonly openai: OpenAI; readonly azure: AzureOpenAI };

/** Everything with its default of two retries. */
const through = ({ url }: Harness): Clients => ({
  openai: new OpenAI({ apiKey: 'sk-test', baseURL: `${url}/openai/v1` }),
  azure: new AzureOpenAI({ apiKey: 'k', endpoint: `${url}/azure`, apiVersion: '2024-10-21', deployment: 'prod' }),
});
const direct = ({ mock }: Harness): Clients => ({
  openai: new OpenAI({ apiKey: 'sk-test', baseURL: `${mock.url}/v1` }),
  azure: new AzureOpenAI({ apiKey: 'k', endpoint: mock.url, apiVersion: '2024-10-21', deployment: 'prod' }),
});

const CALLS: readonly (readonly [string, (clients: Clients) => Promise<unknown>])[] = [
  ['a chat', ({ openai }) => openai.chat.completions.create({ model: 'gpt-4o', messages })],
  ['a chat of two choices', ({ openai }) => openai.chat.completions.create({ model: 'gpt-4o', messages, n: 2 })],
  [
    'a chat, streamed',
    async ({ openai }) => all(await openai.chat.completions.create({ model: 'gpt-4o', messages, stream: true })),
  ],
  [
    'a chat, streamed with its usage',
    async ({ openai }) =>
      all(
        await openai.chat.completions.create({
          model: 'gpt-4o',
          messages,
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
  ],
  ['a tool call', ({ openai }) => openai.chat.completions.create({ model: 'gpt-4o', messages: asking, tools })],
  [
    'a tool call, streamed',
    ({ openai }) => openai.chat.completions.stream({ model: 'gpt-4o', messages: asking, tools }).finalChatCompletion(),
  ],
  [
    'structured output',
    ({ openai }) =>
      openai.chat.completions.create({
        model: 'gpt-4o',
        messages,
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema: parameters, strict: true } },
      }),
  ],
  [
    'a legacy completion',
    ({ openai }) => openai.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'one', max_tokens: 6 }),
  ],
  ['a response', ({ openai }) => openai.responses.create({ model: 'gpt-5', input: 'What now?', max_output_tokens })],
  [
    'a response, streamed with a tool',
    ({ openai }) =>
      openai.responses
        .stream({ model: 'gpt-4o', input: 'weather?', tools: responseTools, max_output_tokens })
        .finalResponse(),
  ],
  [
    'embeddings',
    ({ openai }) => openai.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 8 }),
  ],
  ['a list of models', async ({ openai }) => all(await openai.models.list())],
  ['a moderation', ({ openai }) => openai.moderations.create({ input: 'fine' })],
  ['a chat with Azure', ({ azure }) => azure.chat.completions.create({ model: 'ignored', messages })],
  [
    'a chat with Azure, streamed',
    async ({ azure }) => all(await azure.chat.completions.create({ model: 'ignored', messages, stream: true })),
  ],
];

/** One deployment whose name says nothing of its model: the route does. */
const routes = [
  aSnapshotRoute({
    rules: [
      aRule({
        models: ['prod'],
        backends: [aBackend({ name: 'azure', provider: 'AzureOpenAI', model: 'gpt-4o-mini' })],
      }),
    ],
  }),
];
const start = (limit: Parameters<typeof aLimit>[0]): Promise<Harness> =>
  startHarness({
    snapshot: aSnapshot({ budgets: [aSnapshotBudget({ limits: [aLimit(limit)] })], routes }),
    deployments: { prod: 'gpt-4o-mini' },
  });

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
    const { openai } = through(harness);
    const first = await openai.chat.completions.create({ model: 'gpt-4o', messages: asking, tools });
    const message = first.choices[0]?.message;
    const call = message?.tool_calls?.[0];
    expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({ city: 'Paris' });
    const later = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: [
        ...asking,
        ...(message === undefined ? [] : [message]),
        { role: 'tool', tool_call_id: call?.id ?? '', content: 'sunny' },
      ],
      tools,
    });
    expect(later.choices[0]?.message.content).toBe('The tool said: sunny');
  });

  it('tells the cost of a call in a header', async () => {
    const { openai } = through(harness);
    const { response } = await openai.chat.completions.create({ model: 'gpt-4o', messages }).withResponse();
    expect(Number(response.headers.get('x-tollgate-cost-usd'))).toBeGreaterThan(0);
    expect(response.headers.get('x-tollgate-budget')).toBe('default/chat');
  });

  it('leaves the provider’s own errors as they are', async () => {
    const call = through(harness).openai.chat.completions.create(
      { model: 'gpt-4o~status=429', messages },
      { maxRetries: 0 },
    );
    await expect(call).rejects.toThrow('The simulator was told to answer 429.');
    await expect(call).rejects.toBeInstanceOf(RateLimitError);
  });

  it('prices an Azure deployment by the model that its route names', async () => {
    const call = through(harness).azure.chat.completions.create({ model: 'ignored', messages });
    const event = await eventOf(harness, (await call.asResponse()).headers.get('x-tollgate-request-id'));
    expect([event.priceRow?.model, event.settle]).toEqual(['azure/gpt-4o-mini', 'usage']);
  });
});

describe('with a budget that is exhausted', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ unit: 'requests', max: '1' });
    await through(harness).openai.chat.completions.create({ model: 'gpt-4o', messages });
    await harness.events(1);
  });
  afterAll(() => harness.stop());

  const metered = CALLS.filter(([name]) => !/models|moderation/.test(name));

  it.each(metered)('raises RateLimitError for %s, after asking once', async (_name, call) => {
    const before = await countRefusals(harness, 'budget_exhausted');
    const refusal = call(through(harness));
    await expect(refusal).rejects.toBeInstanceOf(RateLimitError);
    await expect(refusal).rejects.toMatchObject({ status: 429, code: 'budget_exhausted' });
    await expect(refusal).rejects.toThrow('TokenBudget default/chat, limit "daily" is exhausted');
    expect(await countRefusals(harness, 'budget_exhausted')).toBe(before + 1);
    expect(harness.mock.log.filter(({ path }) => !/models|moderation/.test(path))).toHaveLength(1);
  });

  it('still lists models and moderates', async () => {
    const { openai } = through(harness);
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain('gpt-4o');
    expect((await openai.moderations.create({ input: 'fine' })).results).toHaveLength(1);
  });
});

describe('with a limit below what one call can cost', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await start({ max: '1000' });
  });
  afterAll(() => harness.stop());

  it('raises BadRequestError, which says what was needed and how much there is', async () => {
    const call = through(harness).openai.chat.completions.create({
      model: 'gpt-4o',
      messages,
      max_completion_tokens: 1000,
    });
    await expect(call).rejects.toBeInstanceOf(BadRequestError);
    await expect(call).rejects.toMatchObject({ status: 400, code: 'budget_never_fits' });
    await expect(call).rejects.toThrow(/TokenBudget default\/chat, limit "daily": this call can cost up to \$0\.01/);
    expect(await countRefusals(harness, 'budget_never_fits')).toBe(1);
  });
});
