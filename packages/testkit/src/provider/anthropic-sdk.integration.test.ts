/** The official Anthropic client is the judge of the simulator's wire shapes. */
import Anthropic, { RateLimitError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startMockProvider } from './mock-provider.ts';
import type { MockProvider } from './mock-provider.ts';

let provider: MockProvider;
let anthropic: Anthropic;

beforeAll(async () => {
  provider = await startMockProvider();
  anthropic = new Anthropic({ apiKey: 'sk-ant-test', baseURL: provider.url, maxRetries: 0 });
});
afterAll(() => provider.stop());

const model = 'claude-haiku-4-5';
const messages = [{ role: 'user' as const, content: 'What does the bridge cost?' }];
const tools = [
  { name: 'get_weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } },
];

it('answers a plain call with blocks, a stop reason and a usage', async () => {
  const answer = await anthropic.messages.create({ model, messages, max_tokens: 9 });
  expect(answer.model).toBe('claude-haiku-4-5-20251001');
  expect(answer.stop_reason).toBe('max_tokens');
  expect(answer.content[0]).toMatchObject({ type: 'text' });
  expect(answer.usage).toMatchObject({ input_tokens: 10, output_tokens: 9, cache_read_input_tokens: 0 });
});

it('streams the message of its twin, event by event', async () => {
  const whole = await anthropic.messages.create({ model, messages, max_tokens: 500 });
  const stream = anthropic.messages.stream({ model, messages, max_tokens: 500 });
  const types: string[] = [];
  stream.on('streamEvent', (event) => types.push(event.type));
  const final = await stream.finalMessage();
  expect(final.content).toMatchObject(whole.content);
  expect(final.usage.output_tokens).toBe(whole.usage.output_tokens);
  expect([types[0], types[1], types.at(-2), types.at(-1)]).toEqual([
    'message_start',
    'content_block_start',
    'message_delta',
    'message_stop',
  ]);
});

it('uses a tool, streaming and not, and answers in words once it has the result', async () => {
  const asking = [{ role: 'user' as const, content: 'How is the weather?' }];
  const whole = await anthropic.messages.create({ model, messages: asking, tools, max_tokens: 500 });
  const use = whole.content.find((block) => block.type === 'tool_use');
  expect(whole.stop_reason).toBe('tool_use');
  expect(use?.input).toEqual({ city: 'Paris' });
  const streamed = await anthropic.messages.stream({ model, messages: asking, tools, max_tokens: 500 }).finalMessage();
  expect(streamed.content.find((block) => block.type === 'tool_use')?.input).toEqual({ city: 'Paris' });
  const later = await anthropic.messages.create({
    model,
    max_tokens: 500,
    tools,
    messages: [
      ...asking,
      { role: 'assistant', content: whole.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: use?.id ?? '', content: 'sunny' }] },
    ],
  });
  expect(later.content[0]).toMatchObject({ type: 'text', text: 'The tool said: sunny' });
});

it('thinks aloud when asked to, and counts the thoughts as output', async () => {
  const thinking = { type: 'enabled' as const, budget_tokens: 1024 };
  const final = await anthropic.messages.stream({ model, messages, max_tokens: 2000, thinking }).finalMessage();
  expect(final.content.map((block) => block.type)).toEqual(['thinking', 'text']);
  expect(provider.log.at(-1)?.usage.reasoning).toBeGreaterThan(0);
  expect(final.usage.output_tokens).toBeGreaterThan(provider.log.at(-1)?.usage.reasoning ?? 0);
});

it('writes what is marked for caching, by its lifetime, and reads it the next time', async () => {
  const block = (text: string, ttl: '5m' | '1h') => ({
    type: 'text' as const,
    text,
    cache_control: { type: 'ephemeral' as const, ttl },
  });
  const system = [block('toll '.repeat(1000), '1h'), block('gate '.repeat(400), '5m')];
  const first = await anthropic.messages.create({ model, messages, system, max_tokens: 5 });
  expect(first.usage.cache_creation).toEqual({ ephemeral_1h_input_tokens: 1250, ephemeral_5m_input_tokens: 500 });
  expect(first.usage).toMatchObject({
    cache_creation_input_tokens: 1750,
    cache_read_input_tokens: 0,
    input_tokens: 10,
  });
  const second = await anthropic.messages.create({ model, messages, system, max_tokens: 5 });
  expect(second.usage).toMatchObject({
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 1750,
    input_tokens: 10,
  });
});

it('counts tokens as it would bill them, for nothing', async () => {
  const counted = await anthropic.messages.countTokens({ model, messages });
  expect(counted.input_tokens).toBe(10);
  expect(provider.log.at(-1)?.usage.input).toBe(0);
});

it('lists models', async () => {
  const models = await anthropic.models.list();
  expect(models.data.map((one) => one.id)).toContain(model);
});

it('raises the client’s own errors, before and inside a stream', async () => {
  const headers = { 'x-mock-status': '429' };
  await expect(anthropic.messages.create({ model, messages, max_tokens: 5 }, { headers })).rejects.toBeInstanceOf(
    RateLimitError,
  );
  const broken = anthropic.messages.stream(
    { model, messages, max_tokens: 50 },
    { headers: { 'x-mock-error-after-chunks': '5' } },
  );
  await expect(broken.finalMessage()).rejects.toThrow(/overloaded_error/);
});
