import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { totalTokens } from '@tollgate/metering';
import { FORMATS, type FormatId } from '../format.ts';
import { readAnswer } from './read-answer.ts';

const read = (format: FormatId, body: unknown) =>
  readAnswer(format, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

const chat = (usage: unknown) => ({
  id: 'c',
  model: 'gpt-4o-2024-08-06',
  choices: [{ message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage,
});
const chatUsage = (usage: unknown) => read('openai-chat', chat(usage));
const message = (usage: unknown) => ({
  id: 'm',
  type: 'message',
  model: 'claude-x',
  content: [{ type: 'text', text: 'hello' }],
  stop_reason: 'end_turn',
  usage,
});
const response = (usage: unknown, more: object = {}) => ({
  id: 'r',
  object: 'response',
  status: 'completed',
  error: null,
  model: 'gpt-5',
  output: [],
  usage,
  ...more,
});
const gemini = (usageMetadata: unknown, more: object = {}) => ({
  candidates: [{ content: { parts: [{ text: 'hello' }] }, finishReason: 'STOP', ...more }],
  usageMetadata,
  modelVersion: 'gemini-2.5-pro',
});

describe('readAnswer of OpenAI usage', () => {
  it.each([
    ['plain', { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }, { input: 100, output: 50 }],
    [
      'cached',
      { prompt_tokens: 100, completion_tokens: 50, prompt_tokens_details: { cached_tokens: 64 } },
      { input: 36, cachedInput: 64, output: 50 },
    ],
    [
      'all cached',
      { prompt_tokens: 64, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 64 } },
      { input: 0, cachedInput: 64, output: 1 },
    ],
    [
      'cached beside (DeepSeek)',
      { prompt_tokens: 100, completion_tokens: 5, prompt_cache_hit_tokens: 90 },
      { input: 10, cachedInput: 90, output: 5 },
    ],
    [
      'cached beside (Moonshot)',
      { prompt_tokens: 100, completion_tokens: 5, cached_tokens: 90 },
      { input: 10, cachedInput: 90, output: 5 },
    ],
    [
      'reasoning',
      { prompt_tokens: 10, completion_tokens: 50, completion_tokens_details: { reasoning_tokens: 40 } },
      { input: 10, output: 10, reasoning: 40 },
    ],
    [
      'audio',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { audio_tokens: 30, cached_tokens: 20 },
        completion_tokens_details: { audio_tokens: 35 },
      },
      { input: 50, cachedInput: 20, audioInput: 30, output: 15, audioOutput: 35 },
    ],
    [
      'null details',
      {
        prompt_tokens: 10,
        completion_tokens: 5,
        prompt_tokens_details: null,
        completion_tokens_details: { reasoning_tokens: null },
      },
      { input: 10, output: 5 },
    ],
    ['explicit zeros', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, { input: 0, output: 0 }],
    [
      'reasoning outside the completion (xAI)',
      {
        prompt_tokens: 10,
        completion_tokens: 100,
        total_tokens: 410,
        completion_tokens_details: { reasoning_tokens: 300 },
      },
      { input: 10, output: 100, reasoning: 300 },
    ],
    [
      'a little reasoning outside (xAI)',
      {
        prompt_tokens: 10,
        completion_tokens: 100,
        total_tokens: 160,
        completion_tokens_details: { reasoning_tokens: 50 },
      },
      { input: 10, output: 100, reasoning: 50 },
    ],
    [
      'thoughts in the total only (Gemini)',
      { prompt_tokens: 10, completion_tokens: 100, total_tokens: 410 },
      { input: 10, output: 100, reasoning: 300 },
    ],
  ])('splits %s', (_, stated, usage) => {
    expect(chatUsage(stated)).toMatchObject({ usage, floor: usage, usageFault: null, complete: true, errored: false });
    expect(Object.keys(chatUsage(stated).usage ?? {}).sort()).toEqual(Object.keys(usage).sort());
  });

  it.each([
    [
      'cached > prompt: no hit is believed',
      { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 11 } },
      { input: 10, output: 5 },
    ],
    [
      'audio > prompt: all is audio',
      { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { audio_tokens: 11 } },
      { input: 0, audioInput: 10, output: 5 },
    ],
    [
      'reasoning > completion: it is on top',
      { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 20 } },
      { input: 10, output: 5, reasoning: 20 },
    ],
    [
      'audio > completion',
      { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { audio_tokens: 6 } },
      { input: 10, output: 0, audioOutput: 5 },
    ],
    [
      'total < parts: the parts count',
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 3 },
      { input: 10, output: 5 },
    ],
  ])('says so where %s', (_, stated, usage) => {
    const answer = chatUsage(stated);
    expect(answer.usage).toEqual(usage);
    expect(answer.usageFault).not.toBeNull();
  });

  it('lets cached shrink where cached and audio overlap', () => {
    expect(
      chatUsage({
        prompt_tokens: 10,
        completion_tokens: 1,
        prompt_tokens_details: { cached_tokens: 8, audio_tokens: 6 },
      }).usage,
    ).toEqual({ input: 0, cachedInput: 4, audioInput: 6, output: 1 });
  });

  it.each([-5, 1e308, '12', 1.5, true, [], {}, 1e9 + 1])('has no usage where a figure is %j', (figure) => {
    for (const stated of [
      { prompt_tokens: figure, completion_tokens: 5 },
      { prompt_tokens: 5, completion_tokens: figure },
      { prompt_tokens: 5, completion_tokens: 5, total_tokens: figure },
      { prompt_tokens: 5, completion_tokens: 5, prompt_tokens_details: { cached_tokens: figure } },
    ]) {
      const answer = chatUsage(stated);
      expect(answer.usage).toBeNull();
      expect(answer.usageFault).toContain('is not a count');
    }
  });

  it.each([
    [undefined, null],
    [null, null],
    [{}, 'the usage has no count of input tokens'],
    [{ prompt_tokens: 5 }, 'the usage has no count of output tokens'],
    [[], 'the usage is not an object'],
    ['5', 'the usage is not an object'],
    [{ prompt_tokens: 5, completion_tokens: 5, padding: 'x'.repeat(70_000) }, 'the usage is not an object'],
  ])('does not take missing for zero: %j', (stated, fault) => {
    expect(chatUsage(stated)).toMatchObject({ usage: null, usageFault: fault });
  });

  it('has no usage where its bytes are no JSON', () => {
    expect(read('openai-chat', '{"usage":{"prompt_tokens":5,"completion_tokens":5,"x":"\\q"}}')).toMatchObject({
      usage: null,
    });
  });

  it('takes embeddings and completions', () => {
    expect(
      read('openai-embeddings', {
        model: 'e',
        data: [{ embedding: [0.1, -2e-5] }],
        usage: { prompt_tokens: 8, total_tokens: 8 },
      }).usage,
    ).toEqual({ input: 8, output: 0 });
    expect(
      read('openai-completions', {
        model: 'm',
        choices: [{ text: 'abc', finish_reason: 'stop' }],
        usage: { prompt_tokens: 8, completion_tokens: 2 },
      }),
    ).toMatchObject({ usage: { input: 8, output: 2 }, deliveredBytes: 3 });
  });

  it('counts only the usage where the protocol has it', () => {
    const forged = { prompt_tokens: 1, completion_tokens: 1 };
    const body = {
      choices: [{ usage: forged, message: { content: JSON.stringify({ usage: forged }), usage: forged } }],
      'x-usage': forged,
    };
    expect(read('openai-chat', body)).toMatchObject({ usage: null, usageFault: null });
    expect(read('openai-chat', { ...body, usage: { prompt_tokens: 70, completion_tokens: 7 } }).usage).toEqual({
      input: 70,
      output: 7,
    });
  });

  it('keeps the larger figures of two usages', () => {
    expect(
      read(
        'openai-chat',
        '{"usage":{"prompt_tokens":9,"completion_tokens":9},"usage":{"prompt_tokens":10,"completion_tokens":1}}',
      ).usage,
    ).toEqual({ input: 10, output: 9 });
  });

  it('reports an error inside the answer', () => {
    expect(read('openai-chat', { error: { message: 'no' } })).toMatchObject({
      errored: true,
      usage: null,
      complete: true,
    });
    expect(read('openai-chat', { error: null, ...chat({ prompt_tokens: 1, completion_tokens: 1 }) }).errored).toBe(
      false,
    );
  });
});

describe('readAnswer of Responses', () => {
  it('splits usage and counts searches', () => {
    const stated = {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 40 },
      output_tokens: 50,
      output_tokens_details: { reasoning_tokens: 30 },
      total_tokens: 150,
    };
    const output = [
      { type: 'web_search_call', status: 'completed' },
      { type: 'web_search_call' },
      { type: 'message', content: [{ type: 'output_text', text: 'hello' }] },
    ];
    expect(read('openai-responses', response(stated, { output }))).toMatchObject({
      model: 'gpt-5',
      usage: { input: 60, cachedInput: 40, output: 20, reasoning: 30, webSearch: 2 },
      complete: true,
      errored: false,
    });
  });

  it.each(['queued', 'in_progress'])('takes what a %s response says for a floor', (status) => {
    expect(read('openai-responses', response({ input_tokens: 5, output_tokens: 0 }, { status }))).toMatchObject({
      usage: null,
      floor: { input: 5, output: 0 },
    });
  });

  it('takes the usage of a response that broke off or failed', () => {
    expect(
      read('openai-responses', response({ input_tokens: 5, output_tokens: 6 }, { status: 'incomplete' })).usage,
    ).toEqual({ input: 5, output: 6 });
    expect(
      read(
        'openai-responses',
        response({ input_tokens: 5, output_tokens: 6 }, { status: 'failed', error: { code: 'x' } }),
      ),
    ).toMatchObject({ usage: { input: 5, output: 6 }, errored: true });
  });
});

describe('readAnswer of Anthropic', () => {
  it.each([
    ['plain', { input_tokens: 10, output_tokens: 5 }, { input: 10, output: 5 }],
    [
      'a cache read',
      { input_tokens: 10, cache_read_input_tokens: 200, output_tokens: 5 },
      { input: 10, cachedInput: 200, output: 5 },
    ],
    [
      'a cache write',
      { input_tokens: 10, cache_creation_input_tokens: 30, output_tokens: 5 },
      { input: 10, cacheWrite5m: 30, output: 5 },
    ],
    [
      'writes of two lifetimes',
      {
        input_tokens: 10,
        cache_creation_input_tokens: 30,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
        output_tokens: 5,
      },
      { input: 10, cacheWrite5m: 10, cacheWrite1h: 20, output: 5 },
    ],
    [
      'nulls',
      {
        input_tokens: 10,
        cache_creation_input_tokens: null,
        cache_read_input_tokens: null,
        cache_creation: null,
        server_tool_use: null,
        output_tokens: 5,
      },
      { input: 10, output: 5 },
    ],
    [
      'searches',
      { input_tokens: 10, output_tokens: 5, server_tool_use: { web_search_requests: 3 } },
      { input: 10, output: 5, webSearch: 3 },
    ],
    [
      'iterations that hold more',
      {
        input_tokens: 10,
        output_tokens: 5,
        iterations: [
          { type: 'compaction', input_tokens: 900, output_tokens: 50 },
          { type: 'message', input_tokens: 10, output_tokens: 5 },
        ],
      },
      { input: 910, output: 55 },
    ],
    ['iterations that hold less', { input_tokens: 10, output_tokens: 5, iterations: [] }, { input: 10, output: 5 }],
  ])('splits %s', (_, stated, usage) => {
    expect(read('anthropic-messages', message(stated))).toMatchObject({
      model: 'claude-x',
      usage,
      usageFault: null,
      complete: true,
    });
    expect(Object.keys(read('anthropic-messages', message(stated)).usage ?? {}).sort()).toEqual(
      Object.keys(usage).sort(),
    );
  });

  it('takes writes without a lifetime beside stated ones for the dearer', () => {
    const answer = read(
      'anthropic-messages',
      message({
        input_tokens: 1,
        output_tokens: 1,
        cache_creation_input_tokens: 50,
        cache_creation: { ephemeral_5m_input_tokens: 10 },
      }),
    );
    expect(answer).toMatchObject({ usage: { cacheWrite5m: 10, cacheWrite1h: 40 } });
    expect(answer.usageFault).not.toBeNull();
  });

  it.each([
    { output_tokens: 5 },
    { input_tokens: 5 },
    { input_tokens: 1, output_tokens: -1 },
    { input_tokens: 1, output_tokens: 1, iterations: [{ input_tokens: 'x' }] },
  ])('has no usage of %j', (stated) => {
    const answer = read('anthropic-messages', message(stated));
    expect(answer.usage).toBeNull();
    expect(answer.usageFault).not.toBeNull();
  });

  it('counts what a tool is called with whole, whatever its own keys are', () => {
    const body = {
      type: 'message',
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: { type: 'abc', id: 'def', role: 'g' } }],
    };
    expect(read('anthropic-messages', body).deliveredBytes).toBe(1 + 7);
  });

  it('reports an error', () => {
    expect(read('anthropic-messages', { type: 'error', error: { type: 'overloaded_error' } })).toMatchObject({
      errored: true,
      usage: null,
    });
  });
});

describe('readAnswer of Gemini', () => {
  it.each([
    ['plain', { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }, { input: 10, output: 5 }],
    [
      'thoughts on top',
      { promptTokenCount: 10, candidatesTokenCount: 5, thoughtsTokenCount: 100, totalTokenCount: 115 },
      { input: 10, output: 5, reasoning: 100 },
    ],
    [
      'cached inside',
      { promptTokenCount: 100, cachedContentTokenCount: 90, candidatesTokenCount: 5 },
      { input: 10, cachedInput: 90, output: 5 },
    ],
    [
      'tool use on top',
      { promptTokenCount: 100, toolUsePromptTokenCount: 50, candidatesTokenCount: 5, totalTokenCount: 155 },
      { input: 150, output: 5 },
    ],
    ['zeros left out', { promptTokenCount: 10, totalTokenCount: 10 }, { input: 10, output: 0 }],
    [
      'audio',
      {
        promptTokenCount: 100,
        cachedContentTokenCount: 20,
        candidatesTokenCount: 30,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 50 },
          { modality: 'AUDIO', tokenCount: 50 },
        ],
        cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 20 }],
        candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 30 }],
      },
      { input: 50, cachedInput: 20, audioInput: 30, output: 0, audioOutput: 30 },
    ],
    [
      'odd details',
      {
        promptTokenCount: 10,
        candidatesTokenCount: 1,
        promptTokensDetails: [null, { modality: 'AUDIO' }, { modality: 'AUDIO', tokenCount: -1 }],
      },
      { input: 10, output: 1 },
    ],
  ])('splits %s', (_, stated, usage) => {
    expect(read('gemini-generate', gemini(stated))).toMatchObject({
      model: 'gemini-2.5-pro',
      usage,
      usageFault: null,
      complete: true,
      deliveredBytes: 5,
    });
    expect(Object.keys(read('gemini-generate', gemini(stated)).usage ?? {}).sort()).toEqual(Object.keys(usage).sort());
  });

  it.each([[{}], [{ candidatesTokenCount: 5 }], [{ promptTokenCount: -1 }], [null], [undefined]])(
    'has no usage of %j',
    (stated) => {
      expect(read('gemini-generate', gemini(stated)).usage).toBeNull();
    },
  );

  it('counts the searches of a grounded answer', () => {
    const more = { groundingMetadata: { webSearchQueries: ['a', 'b'] } };
    expect(read('gemini-generate', gemini({ promptTokenCount: 1 }, more)).usage).toEqual({
      input: 1,
      output: 0,
      webSearch: 2,
    });
  });

  it('takes a blocked prompt for a complete answer', () => {
    expect(
      read('gemini-generate', { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 7 } }),
    ).toMatchObject({ usage: { input: 7, output: 0 }, complete: true });
  });

  it('does not count signatures as text', () => {
    const body = {
      candidates: [{ content: { role: 'model', parts: [{ text: 'abc', thoughtSignature: 'x'.repeat(500) }] } }],
    };
    expect(read('gemini-generate', body).deliveredBytes).toBe(3);
  });
});

describe('readAnswer of anything', () => {
  const samples: readonly [FormatId, string][] = [
    ['openai-chat', JSON.stringify(chat({ prompt_tokens: 100, completion_tokens: 50 }))],
    [
      'openai-responses',
      JSON.stringify(response({ input_tokens: 100, output_tokens: 50 }, { output: [{ type: 'message' }] })),
    ],
    ['anthropic-messages', JSON.stringify(message({ input_tokens: 100, output_tokens: 50 }))],
    ['gemini-generate', JSON.stringify(gemini({ promptTokenCount: 100, candidatesTokenCount: 50 }))],
  ];

  it.each(samples)('never throws, nor finds what is not there, in a %s answer that breaks off', (format, text) => {
    for (let end = 0; end < text.length; end += 1) {
      const answer = read(format, text.slice(0, end));
      expect(answer.complete).toBe(false);
      if (answer.usage !== null) expect(totalTokens(answer.usage)).toBe(150);
    }
    expect(read(format, text)).toMatchObject({ usage: { input: 100, output: 50 }, complete: true });
  });

  it('never throws on bytes of any kind', () => {
    fc.assert(
      fc.property(fc.constantFrom(...FORMATS), fc.uint8Array({ maxLength: 200 }), fc.json(), (format, bytes, json) => {
        expect(readAnswer(format, Buffer.from(bytes)).usage).toBeNull();
        expect(() => read(format, json)).not.toThrow();
        expect(() =>
          read(
            format,
            `{"usage":${json},"choices":${json},"message":${json},"response":${json},"output":${json},"candidates":[{"content":${json},"groundingMetadata":${json}}],"usageMetadata":${json},"promptFeedback":${json},"delta":${json}}`,
          ),
        ).not.toThrow();
      }),
    );
  });

  it('makes disjoint, non-negative kinds of any figures', () => {
    const figure = fc.option(fc.oneof(fc.nat(1000), fc.constantFrom(-1, 1.5, 1e12, '3')), { nil: undefined, freq: 3 });
    fc.assert(
      fc.property(
        fc.record({
          p: fc.nat(1000),
          c: fc.nat(1000),
          total: figure,
          cached: figure,
          audio: figure,
          reasoning: figure,
          spoken: figure,
        }),
        (f) => {
          const { usage } = chatUsage({
            prompt_tokens: f.p,
            completion_tokens: f.c,
            total_tokens: f.total,
            prompt_tokens_details: { cached_tokens: f.cached, audio_tokens: f.audio },
            completion_tokens_details: { reasoning_tokens: f.reasoning, audio_tokens: f.spoken },
          });
          if (usage === null) return;
          for (const count of Object.values(usage)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
          expect((usage.input ?? 0) + (usage.cachedInput ?? 0) + (usage.audioInput ?? 0)).toBe(f.p);
          expect((usage.output ?? 0) + (usage.reasoning ?? 0) + (usage.audioOutput ?? 0)).toBeGreaterThanOrEqual(f.c);
          expect(totalTokens(usage)).toBeGreaterThanOrEqual(
            Math.max(f.p + f.c, typeof f.total === 'number' ? f.total : 0),
          );
        },
      ),
    );
  });

  it.each([
    ['openai-chat', { service_tier: 'default', usage: { prompt_tokens: 1, completion_tokens: 1 } }, 'default'],
    ['openai-responses', { service_tier: 'priority', status: 'completed' }, 'priority'],
    ['openai-chat', { service_tier: null }, null],
    ['openai-chat', {}, null],
  ] as const)('says at which tier %s served the call', (format, body, expected) => {
    expect(read(format, body).serviceTier).toBe(expected);
  });
});
