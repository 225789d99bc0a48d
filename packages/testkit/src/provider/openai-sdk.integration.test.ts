/** The official OpenAI client is the judge of the simulator's wire shapes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI, { AzureOpenAI, RateLimitError } from 'openai';
import { startMockProvider } from './mock-provider.ts';
import type { MockProvider } from './mock-provider.ts';

let provider: MockProvider;
let openai: OpenAI;

beforeAll(async () => {
  provider = await startMockProvider({ deployments: { prod: 'gpt-4o-mini' } });
  openai = new OpenAI({ apiKey: 'sk-test', baseURL: `${provider.url}/v1`, maxRetries: 0 });
});
afterAll(() => provider.stop());

const messages = [{ role: 'user' as const, content: 'What does the bridge cost?' }];
const weatherTool = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city'],
    },
  },
};

describe('chat completions', () => {
  it('answers a plain call with text, a finish reason and a usage that adds up', async () => {
    const answer = await openai.chat.completions.create({ model: 'gpt-4o-mini', messages });
    expect(answer.object).toBe('chat.completion');
    expect(answer.model).toBe('gpt-4o-mini-2024-07-18');
    expect(answer.choices[0]?.message.content).not.toBe('');
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0),
    );
  });

  it('stops at the cap and says so', async () => {
    const answer = await openai.chat.completions.create({ model: 'gpt-4o-mini', messages, max_completion_tokens: 5 });
    expect(answer.choices[0]?.finish_reason).toBe('length');
    expect(answer.usage?.completion_tokens).toBe(5);
  });

  it('gives n answers and bills them all', async () => {
    const answer = await openai.chat.completions.create({
      model: 'gpt-4o-mini',
      messages,
      n: 3,
      max_completion_tokens: 4,
    });
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect(answer.usage?.completion_tokens).toBe(12);
  });

  it('streams the words of its twin, and a usage equal to its twin’s', async () => {
    const whole = await openai.chat.completions.create({ model: 'gpt-4o', messages, n: 2 });
    const stream = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages,
      n: 2,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ['', ''];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      for (const choice of chunk.choices)
        texts[choice.index] = (texts[choice.index] ?? '') + (choice.delta.content ?? '');
      usage = chunk.usage ?? usage;
    }
    expect(texts).toEqual(whole.choices.map((choice) => choice.message.content));
    expect(usage).toEqual(whole.usage);
  });

  it('says nothing of usage in a stream that did not ask', async () => {
    const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages, stream: true });
    for await (const chunk of stream) expect('usage' in chunk).toBe(false);
  });

  it('calls a tool, streaming and not, and answers in words once it has the result', async () => {
    const asking = [{ role: 'user' as const, content: 'How is the weather?' }];
    const whole = await openai.chat.completions.create({ model: 'gpt-4o', messages: asking, tools: [weatherTool] });
    const call = whole.choices[0]?.message.tool_calls?.[0];
    expect(whole.choices[0]?.finish_reason).toBe('tool_calls');
    expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({ city: 'Paris', days: 21 });

    const streamed = await openai.chat.completions
      .stream({ model: 'gpt-4o', messages: asking, tools: [weatherTool] })
      .finalChatCompletion();
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({ id: call?.id, type: 'function' });

    const message = whole.choices[0]?.message;
    const later = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: [
        ...asking,
        ...(message === undefined ? [] : [message]),
        { role: 'tool', tool_call_id: call?.id ?? '', content: 'sunny' },
      ],
      tools: [weatherTool],
    });
    expect(later.choices[0]?.message.content).toBe('The tool said: sunny');
  });

  it('counts reasoning inside the completion, and cuts both at the cap', async () => {
    const answer = await openai.chat.completions.create({ model: 'o4-mini', messages, max_completion_tokens: 40 });
    expect(answer.usage?.completion_tokens).toBe(40);
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBe(40);
    expect(answer.choices[0]?.finish_reason).toBe('length');
  });

  it('reports cached tokens for a long prefix it has seen, in steps of 128', async () => {
    const long = [{ role: 'system' as const, content: 'toll '.repeat(1200) }, ...messages];
    const first = await openai.chat.completions.create({ model: 'gpt-4.1', messages: long });
    const second = await openai.chat.completions.create({
      model: 'gpt-4.1',
      messages: [...long, { role: 'user', content: 'And now?' }],
    });
    expect(first.usage?.prompt_tokens_details?.cached_tokens).toBe(0);
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBe(1408);
  });

  it('answers structured output by its schema', async () => {
    const schema = {
      type: 'object',
      properties: { price: { type: 'number' } },
      required: ['price'],
      additionalProperties: false,
    };
    const answer = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'price', schema, strict: true } },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ price: 21 });
  });

  it('speaks when audio is asked for, and counts the sound apart', async () => {
    const answer = await openai.chat.completions.create({
      model: 'gpt-4o-audio-preview',
      messages,
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy', format: 'wav' },
    });
    expect(answer.choices[0]?.message.audio?.transcript).not.toBe('');
    expect(answer.usage?.completion_tokens_details?.audio_tokens).toBe(answer.usage?.completion_tokens);
  });

  it('raises the client’s own rate limit error', async () => {
    const call = openai.chat.completions.create({ model: 'gpt-4o~status=429~retry-after=7', messages });
    await expect(call).rejects.toBeInstanceOf(RateLimitError);
  });
});

describe('the other formats', () => {
  it('answers legacy completions, streaming and not', async () => {
    const asked = { model: 'gpt-3.5-turbo-instruct', prompt: ['one', 'two'], max_tokens: 6 };
    const whole = await openai.completions.create(asked);
    expect(whole.choices).toHaveLength(2);
    expect(whole.usage?.completion_tokens).toBe(12);
    const texts = ['', ''];
    for await (const chunk of await openai.completions.create({ ...asked, stream: true })) {
      for (const choice of chunk.choices) texts[choice.index] = (texts[choice.index] ?? '') + choice.text;
    }
    expect(texts).toEqual(whole.choices.map((choice) => choice.text));
  });

  it('answers responses, streaming and not, with tools', async () => {
    const whole = await openai.responses.create({ model: 'gpt-5', input: 'What does it cost?' });
    expect(whole.output_text).not.toBe('');
    expect(whole.usage?.output_tokens_details.reasoning_tokens).toBeGreaterThan(0);

    const final = await openai.responses.stream({ model: 'gpt-5', input: 'What does it cost?' }).finalResponse();
    expect(final.output_text).toBe(whole.output_text);
    expect(final.usage).toEqual(whole.usage);

    const tool = {
      type: 'function' as const,
      name: 'get_weather',
      strict: false,
      parameters: weatherTool.function.parameters,
    };
    const calling = await openai.responses
      .stream({ model: 'gpt-4o', input: 'weather?', tools: [tool] })
      .finalResponse();
    const item = calling.output.find((one) => one.type === 'function_call');
    expect(JSON.parse(item?.arguments ?? '')).toEqual({ city: 'Paris', days: 21 });
  });

  it('counts a stored conversation again as input', async () => {
    const first = await openai.responses.create({ model: 'gpt-4o', input: 'What does it cost?' });
    const second = await openai.responses.create({ model: 'gpt-4o', input: 'Why?', previous_response_id: first.id });
    expect(second.usage?.input_tokens).toBe((first.usage?.total_tokens ?? 0) + 4);
  });

  it('says response.incomplete when the cap cuts it', async () => {
    const final = await openai.responses
      .stream({ model: 'gpt-4o', input: 'Go on', max_output_tokens: 16 })
      .finalResponse();
    expect(final.status).toBe('incomplete');
    expect(final.usage?.output_tokens).toBe(16);
  });

  it('embeds texts and tokens', async () => {
    const answer = await openai.embeddings.create({
      model: 'text-embedding-3-small',
      input: ['one', 'two'],
      dimensions: 8,
    });
    expect(answer.data.map((entry) => entry.embedding.length)).toEqual([8, 8]);
    expect(answer.usage).toEqual({ prompt_tokens: 2, total_tokens: 2 });
    const tokens = await openai.embeddings.create({
      model: 'text-embedding-3-small',
      input: [1, 2, 3],
      encoding_format: 'float',
    });
    expect(tokens.usage.prompt_tokens).toBe(3);
  });

  it('lists models and moderates for nothing', async () => {
    const models = await openai.models.list();
    expect(models.data.map((model) => model.id)).toContain('gpt-4o');
    expect((await openai.models.retrieve('gpt-4o')).id).toBe('gpt-4o');
    await expect(openai.models.retrieve('gpt-none')).rejects.toMatchObject({ status: 404 });
    const verdict = await openai.moderations.create({ input: ['fine'] });
    expect(verdict.results[0]?.flagged).toBe(false);
    expect(provider.log.at(-1)?.usage.input).toBe(0);
  });

  it('serves Azure deployments under their own model’s name', async () => {
    const azure = new AzureOpenAI({
      apiKey: 'k',
      endpoint: provider.url,
      apiVersion: '2024-10-21',
      deployment: 'prod',
      maxRetries: 0,
    });
    const answer = await azure.chat.completions.create({ model: 'ignored', messages });
    expect(answer.model).toBe('gpt-4o-mini-2024-07-18');
    let text = '';
    for await (const chunk of await azure.chat.completions.create({ model: 'ignored', messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(answer.choices[0]?.message.content);
  });
});
