import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Answer, FormatId } from '../format.ts';
import { makeStreamMeter } from './stream-meter.ts';

interface Passed {
  readonly out: string;
  readonly answer: Answer;
  readonly fault: string | null;
}

const pass = (
  format: FormatId,
  bytes: Buffer,
  cuts: readonly number[],
  strip: boolean,
  eventLimit?: number,
): Passed => {
  const meter = makeStreamMeter(format, { strip, ...(eventLimit === undefined ? {} : { eventLimit }) });
  const out: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    const chunk = Buffer.from(bytes.subarray(from, cut));
    const forwarded = meter.push(chunk);
    if (!strip) expect(forwarded).toBe(chunk);
    out.push(Buffer.from(forwarded));
    // The chunk's memory may be used again once it was forwarded.
    if (!strip) chunk.fill(0);
    from = cut;
  }
  out.push(meter.end());
  return { out: Buffer.concat(out).toString('latin1'), answer: meter.answer(), fault: meter.fault() };
};

/** Whole, cut into pieces of every small size, and cut anywhere: the outcome is one. */
const passAnyhow = (format: FormatId, text: string, strip = false, eventLimit?: number): Passed => {
  const bytes = Buffer.from(text);
  const whole = pass(format, bytes, [], strip, eventLimit);
  for (const size of [1, 3, 16]) {
    const cuts = Array.from({ length: Math.floor((bytes.length - 1) / size) }, (_, i) => (i + 1) * size);
    expect(pass(format, bytes, cuts, strip, eventLimit)).toEqual(whole);
  }
  for (let at = 1; at < bytes.length; at += 1) expect(pass(format, bytes, [at], strip, eventLimit)).toEqual(whole);
  return { ...whole, out: Buffer.from(whole.out, 'latin1').toString() };
};

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const delta = (content: string, more: object = {}) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  model: 'gpt-4o',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...more,
});
const stop = (more: object = {}) => ({
  id: 'c',
  model: 'gpt-4o',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
  ...more,
});
const last = {
  id: 'c',
  model: 'gpt-4o',
  choices: [],
  usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107, prompt_tokens_details: { cached_tokens: 64 } },
};
const DONE = 'data: [DONE]\n\n';
const usage = { input: 36, cachedInput: 64, output: 7 };

const withUsage =
  data(delta('Hé', { usage: null })) +
  data(delta(' you', { usage: null })) +
  data(stop({ usage: null })) +
  data(last) +
  DONE;
const without = data(delta('Hé')) + data(delta(' you')) + data(stop()) + DONE;

describe('makeStreamMeter on an OpenAI stream', () => {
  it('reads the usage and passes every byte as it came', () => {
    expect(passAnyhow('openai-chat', withUsage)).toEqual({
      out: withUsage,
      answer: {
        model: 'gpt-4o',
        serviceTier: null,
        usage,
        floor: usage,
        usageFault: null,
        deliveredBytes: 7,
        complete: true,
        errored: false,
      },
      fault: null,
    });
  });

  it('takes out what was asked to be added, to the byte', () => {
    const { out, answer } = passAnyhow('openai-chat', withUsage, true);
    expect(out).toBe(without);
    expect(answer).toMatchObject({ usage, complete: true });
  });

  it('passes a stream unchanged that has nothing added', () => {
    const { out, answer } = passAnyhow('openai-chat', without, true);
    expect(out).toBe(without);
    expect(answer).toMatchObject({ usage: null, floor: null, complete: true, deliveredBytes: 7 });
  });

  it('does not copy a chunk that ends with an event and has nothing added', () => {
    const chunk = Buffer.from(without);
    expect(makeStreamMeter('openai-chat', { strip: true }).push(chunk)).toBe(chunk);
  });

  it.each([
    ['{"a":1,"usage":null}', '{"a":1}'],
    ['{"a":1, "usage": null}', '{"a":1}'],
    ['{"a":1 , "usage" : null }', '{"a":1  }'],
    ['{"usage":null,"a":1}', '{"a":1}'],
    ['{"usage": null, "a": 1}', '{"a": 1}'],
    ['{ "usage":null , "a":1}', '{ "a":1}'],
    ['{"a":1,"usage":null,"b":2}', '{"a":1,"b":2}'],
    ['{"a": 1, "usage": null, "b": 2}', '{"a": 1, "b": 2}'],
    ['{"usage":null}', '{}'],
    [
      '{"choices":[{"usage":null,"delta":{"content":"\\"usage\\":null"}}],"usage":null}',
      '{"choices":[{"usage":null,"delta":{"content":"\\"usage\\":null"}}]}',
    ],
    ['{"choices":[],"prompt_filter_results":[],"usage":null}', '{"choices":[],"prompt_filter_results":[]}'],
    [
      '{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
      '{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
    ],
  ])('turns the chunk %s into %s', (chunk, expected) => {
    expect(passAnyhow('openai-chat', `data: ${chunk}\n\n`, true).out).toBe(`data: ${expected}\n\n`);
  });

  it.each(['\n', '\r\n', '\r'])('takes out the closing chunk where lines end with %j', (end) => {
    const lines = (text: string) => text.replaceAll('\n', end);
    const comment = `: keep-alive${end}${end}`;
    const { out, answer } = passAnyhow('openai-chat', comment + lines(withUsage) + comment, true);
    expect(out).toBe(comment + lines(without) + comment);
    expect(answer).toMatchObject({ usage, complete: true, deliveredBytes: 7 });
  });

  it('takes out a closing chunk whose data stands on several lines, with its other fields', () => {
    const event = `event: x\nid: 5\ndata: {"choices":[],\ndata:"usage":{"prompt_tokens":1,\ndata: "completion_tokens":2}}\n\n`;
    const { out, answer } = passAnyhow('openai-chat', data(delta('a')) + event + DONE, true);
    expect(out).toBe(data(delta('a')) + DONE);
    expect(answer.usage).toEqual({ input: 1, output: 2 });
  });

  it('passes a comment on without waiting for the event after it', () => {
    const meter = makeStreamMeter('openai-chat', { strip: true });
    expect(meter.push(Buffer.from(': ping\n')).toString()).toBe(': ping\n');
    expect(meter.push(Buffer.from('data: {"a"')).toString()).toBe('');
    expect(meter.push(Buffer.from(':1}\n\ndata')).toString()).toBe('data: {"a":1}\n\n');
    expect(meter.end().toString()).toBe('data');
  });

  it('reads a stream that has no final newline, and takes the closing chunk out of it', () => {
    const cut = data(delta('a')) + data(last).trimEnd();
    expect(passAnyhow('openai-chat', cut).answer).toMatchObject({ usage, complete: false });
    expect(passAnyhow('openai-chat', cut, true).out).toBe(data(delta('a')));
  });

  it('reads a stream that opens with a byte order mark', () => {
    expect(passAnyhow('openai-chat', `\ufeff${withUsage}`).answer).toMatchObject({ usage, deliveredBytes: 7 });
    expect(passAnyhow('openai-chat', `\ufeff${withUsage}`, true).out).toBe(`\ufeff${without}`);
  });

  it('takes content for content, whatever it looks like', () => {
    const text = 'data: [DONE]\r\n\r\nevent: error\n\n{"usage":{"prompt_tokens":1,"completion_tokens":1}}';
    const stream = data(delta(text)) + data(stop()) + data(last) + DONE;
    const { out, answer } = passAnyhow('openai-chat', stream);
    expect(out).toBe(stream);
    expect(answer).toMatchObject({ usage, errored: false });
    expect(passAnyhow('openai-chat', data(delta(text))).answer).toMatchObject({
      usage: null,
      floor: null,
      complete: false,
    });
  });

  it('takes a running count for a floor until the choice ends', () => {
    const counted = (n: number) => ({ usage: { prompt_tokens: 10, completion_tokens: n } });
    const running = data(delta('a', counted(1))) + data(delta('b', counted(2)));
    expect(passAnyhow('openai-chat', running).answer).toMatchObject({ usage: null, floor: { input: 10, output: 2 } });
    expect(passAnyhow('openai-chat', running + data(stop(counted(3)))).answer.usage).toEqual({ input: 10, output: 3 });
    expect(passAnyhow('openai-chat', running + DONE).answer.usage).toEqual({ input: 10, output: 2 });
  });

  it('never believes a later, lower count, and goes on where text follows the usage', () => {
    const second = { choices: [], usage: { prompt_tokens: 50, completion_tokens: 1 } };
    const { answer } = passAnyhow(
      'openai-chat',
      data(delta('a')) + data(last) + data(delta('bcd')) + data(second) + DONE,
    );
    expect(answer).toMatchObject({ usage: { input: 100, output: 7 }, deliveredBytes: 4 });
  });

  it('keeps a valid usage where a later one is broken, and says so', () => {
    const broken = { choices: [], usage: { prompt_tokens: -1, completion_tokens: 1 } };
    expect(passAnyhow('openai-chat', data(last) + data(broken) + DONE).answer).toMatchObject({
      usage,
      usageFault: 'prompt_tokens is not a count of tokens',
    });
    expect(passAnyhow('openai-chat', data(broken) + DONE, true)).toMatchObject({ out: DONE, answer: { usage: null } });
  });

  it('reports an error inside the stream', () => {
    expect(passAnyhow('openai-chat', data(delta('a')) + data({ error: { message: 'x' } })).answer).toMatchObject({
      errored: true,
      complete: false,
      usage: null,
    });
  });

  it('counts tool calls and reasoning as delivered', () => {
    const tools = {
      choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{"a":' } }], reasoning_content: 'hmm' } }],
    };
    expect(passAnyhow('openai-chat', data(tools)).answer.deliveredBytes).toBe('{\\"a\\":'.length + 3);
    expect(passAnyhow('openai-completions', data({ choices: [{ text: 'abc' }] })).answer.deliveredBytes).toBe(3);
  });

  it('lives with events that are no JSON', () => {
    expect(
      passAnyhow('openai-chat', 'data: {oops\n\ndata\n\ndata:\n\ndatum: 1\n\nevent: x\n\n\n\n' + withUsage).answer,
    ).toMatchObject({ usage, complete: true });
  });

  it('reads a plain JSON answer where a stream was asked for', () => {
    const answer = { ...stop(), choices: [{ message: { content: 'abc' } }], usage: last.usage };
    expect(passAnyhow('openai-chat', JSON.stringify(answer)).answer).toMatchObject({
      usage,
      complete: true,
      deliveredBytes: 3,
    });
    expect(passAnyhow('openai-chat', JSON.stringify(answer), true)).toMatchObject({
      out: JSON.stringify(answer),
      answer: { usage, complete: true },
    });
  });

  it.each([false, true])('passes an event above the limit unread and says so (strip: %j)', (strip) => {
    const long = data(delta('x'.repeat(500)));
    const longComment = `: ${'y'.repeat(500)}\n`;
    const stream = data(delta('a')) + long + longComment + data(last) + DONE;
    const passed = passAnyhow('openai-chat', stream, strip, 300);
    expect(passed.out).toBe(strip ? data(delta('a')) + long + longComment + DONE : stream);
    expect(passed.fault).not.toBeNull();
    expect(passed.answer).toMatchObject({ usage, usageFault: passed.fault, deliveredBytes: 1 });
  });

  it('holds no more than the limit of a line without end', () => {
    const meter = makeStreamMeter('openai-chat', { strip: true });
    let passed = 0;
    for (let i = 0; i < 40; i += 1) passed += meter.push(Buffer.alloc(65_536, 'x')).length;
    expect(passed).toBe(40 * 65_536);
    expect(meter.fault()).not.toBeNull();
    expect(meter.end().length).toBe(0);
  });
});

const event = (value: { type: string }) => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
const start = event({
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    model: 'claude-x',
    serviceTier: null,
    content: [],
    usage: {
      input_tokens: 25,
      cache_read_input_tokens: 7,
      cache_creation_input_tokens: 10,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 6 },
      output_tokens: 1,
    },
  },
} as { type: string });
const textDelta = (text: string) =>
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as { type: string });
const messageDelta = (stated: object) =>
  event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: stated } as { type: string });
const ping = event({ type: 'ping' });
const messageStop = event({ type: 'message_stop' });
const claudeInput = { input: 25, cachedInput: 7, cacheWrite5m: 4, cacheWrite1h: 6 };

describe('makeStreamMeter on an Anthropic stream', () => {
  it('seeds from message_start, and message_delta has the last word', () => {
    const stream =
      start + ping + textDelta('Hello') + textDelta(' wörld') + messageDelta({ output_tokens: 15 }) + messageStop;
    expect(passAnyhow('anthropic-messages', stream)).toEqual({
      out: stream,
      answer: {
        model: 'claude-x',
        serviceTier: null,
        usage: { ...claudeInput, output: 15 },
        floor: { ...claudeInput, output: 15 },
        usageFault: null,
        deliveredBytes: 12,
        complete: true,
        errored: false,
      },
      fault: null,
    });
  });

  it('takes the cursor of message_start for a floor only', () => {
    expect(passAnyhow('anthropic-messages', start + textDelta('Hello')).answer).toMatchObject({
      usage: null,
      floor: { ...claudeInput, output: 1 },
      complete: false,
      deliveredBytes: 5,
    });
  });

  it('lets message_delta raise what the input was', () => {
    const stream =
      start +
      messageDelta({
        input_tokens: 900,
        cache_read_input_tokens: 0,
        output_tokens: 15,
        server_tool_use: { web_search_requests: 2 },
      }) +
      messageStop;
    expect(passAnyhow('anthropic-messages', stream).answer.usage).toEqual({
      ...claudeInput,
      input: 900,
      output: 15,
      webSearch: 2,
    });
  });

  it('counts thinking and tool input, not signatures', () => {
    const block = (value: object) => event({ type: 'content_block_delta', index: 0, delta: value } as { type: string });
    const stream =
      block({ type: 'thinking_delta', thinking: 'hmm' }) +
      block({ type: 'input_json_delta', partial_json: '{"a"' }) +
      block({ type: 'signature_delta', signature: 'x'.repeat(99) });
    expect(passAnyhow('anthropic-messages', stream).answer.deliveredBytes).toBe(3 + '{\\"a\\"'.length);
  });

  it('reports an error event', () => {
    expect(
      passAnyhow(
        'anthropic-messages',
        start + event({ type: 'error', error: { type: 'overloaded_error' } } as { type: string }),
      ).answer,
    ).toMatchObject({ errored: true, complete: false, usage: null });
  });

  it('has no usage without its input', () => {
    expect(passAnyhow('anthropic-messages', messageDelta({ output_tokens: 5 }) + messageStop).answer).toMatchObject({
      usage: null,
      complete: true,
    });
  });

  it('ignores strip: nothing is ever added to it', () => {
    const stream = event({ type: 'x', choices: [], usage: null } as { type: string }) + start;
    expect(passAnyhow('anthropic-messages', stream, false).out).toBe(stream);
    expect(makeStreamMeter('anthropic-messages', { strip: true }).push(Buffer.from(stream)).toString()).toBe(stream);
  });
});

describe('makeStreamMeter on a Responses stream', () => {
  const created = event({
    type: 'response.created',
    response: { id: 'r', status: 'in_progress', model: 'gpt-5', usage: null, error: null, output: [] },
  } as { type: string });
  const text = (value: string) =>
    event({ type: 'response.output_text.delta', delta: value, obfuscation: 'xxxxxxxx' } as { type: string });
  const over = (type: string, status: string, error: unknown = null) =>
    event({
      type,
      response: {
        id: 'r',
        status,
        model: 'gpt-5',
        serviceTier: null,
        error,
        output: [{ type: 'web_search_call' }, { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] }],
        usage: {
          input_tokens: 10,
          output_tokens: 20,
          output_tokens_details: { reasoning_tokens: 5 },
          total_tokens: 30,
        },
      },
    } as { type: string });

  it.each([
    ['response.completed', 'completed'],
    ['response.incomplete', 'incomplete'],
  ])('takes the usage of %s', (type, status) => {
    expect(passAnyhow('openai-responses', created + text('Hello') + over(type, status)).answer).toMatchObject({
      model: 'gpt-5',
      usage: { input: 10, output: 15, reasoning: 5, webSearch: 1 },
      deliveredBytes: 5,
      complete: true,
      errored: false,
    });
  });

  it('takes the usage of a response that failed', () => {
    expect(
      passAnyhow('openai-responses', created + over('response.failed', 'failed', { code: 'server_error' })).answer,
    ).toMatchObject({ usage: { input: 10 }, complete: true, errored: true });
  });

  it('has none before that', () => {
    expect(passAnyhow('openai-responses', created + text('Hello')).answer).toMatchObject({
      usage: null,
      floor: null,
      complete: false,
      deliveredBytes: 5,
    });
    expect(
      passAnyhow('openai-responses', created + event({ type: 'error', code: 'x' } as { type: string })).answer,
    ).toMatchObject({ errored: true });
  });
});

describe('makeStreamMeter on a Gemini stream', () => {
  const chunk = (text: string, candidates: number, more: object = {}, finishReason?: string) => ({
    candidates: [
      {
        content: { parts: [{ text }], role: 'model' },
        ...(finishReason === undefined ? {} : { finishReason }),
        index: 0,
      },
    ],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: candidates, totalTokenCount: 5 + candidates, ...more },
    modelVersion: 'gemini-2.5-pro',
  });
  const chunks = [
    chunk('Hé }]', 1),
    chunk('"', 2),
    chunk('end', 4, { thoughtsTokenCount: 10, totalTokenCount: 19 }, 'STOP'),
  ];
  const expected = {
    model: 'gemini-2.5-pro',
    usage: { input: 5, output: 4, reasoning: 10 },
    complete: true,
    errored: false,
    deliveredBytes: 6 + 2 + 3,
  };

  it('reads events', () => {
    expect(passAnyhow('gemini-generate', chunks.map(data).join('')).answer).toMatchObject(expected);
  });

  it.each([
    ['compact', JSON.stringify(chunks)],
    ['pretty', JSON.stringify(chunks, null, 2).replaceAll('\n', '\r\n')],
    ['as Google sends it', `[${chunks.map((each) => JSON.stringify(each, null, 1)).join('\n,\r\n')}\n]\n`],
    ['with space first', `\n ${JSON.stringify(chunks)}`],
  ])('reads a JSON array, %s', (_, text) => {
    expect(passAnyhow('gemini-generate', text)).toMatchObject({ out: text, answer: expected, fault: null });
  });

  it('takes usage before the end for a floor', () => {
    const text = JSON.stringify(chunks.slice(0, 2));
    expect(passAnyhow('gemini-generate', text).answer).toMatchObject({
      usage: null,
      floor: { input: 5, output: 2 },
      complete: false,
    });
    expect(passAnyhow('gemini-generate', chunks.slice(0, 2).map(data).join('')).answer).toMatchObject({
      usage: null,
      floor: { input: 5, output: 2 },
    });
  });

  it('reads an error instead of an array, or in it', () => {
    expect(passAnyhow('gemini-generate', JSON.stringify({ error: { code: 429 } })).answer).toMatchObject({
      errored: true,
      usage: null,
    });
    expect(passAnyhow('gemini-generate', JSON.stringify([chunks[0], { error: { code: 503 } }])).answer).toMatchObject({
      errored: true,
      usage: null,
    });
  });

  it('passes an element above the limit unread and says so', () => {
    const text = JSON.stringify([chunk('x'.repeat(900), 1), chunks[2]]);
    const passed = passAnyhow('gemini-generate', text, false, 400);
    expect(passed.fault).not.toBeNull();
    expect(passed.answer).toMatchObject({ usage: expected.usage, deliveredBytes: 3 });
  });

  it('lives with what is neither', () => {
    expect(passAnyhow('gemini-generate', 'hello').answer).toMatchObject({ usage: null, complete: false });
    expect(passAnyhow('gemini-generate', ' \n').answer).toMatchObject({ usage: null });
    expect(passAnyhow('gemini-generate', '[[1,"}"],{"a":{}}]]}').answer).toMatchObject({ usage: null });
  });
});

describe('makeStreamMeter on any stream', () => {
  const line = fc.constantFrom(
    ...[
      'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":6}}',
      'data: {"choices":[{"delta":{"content":"é😀"}}],"usage":null}',
      'data: {"usage": null}',
    ],
    ...['data: [DONE]', 'data', 'data:', 'data: {', ': comment', 'event: x', 'id', '\ufeff', 'ï', '', '', '', ''],
  );
  const stream = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n', '\r')), { maxLength: 30 })
    .map((lines) => Buffer.from(lines.map(([text, end]) => text + end).join('')));

  it('comes to the same and passes the same, wherever its bytes are cut', () => {
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.nat(2000), { maxLength: 12 }),
        fc.boolean(),
        fc.constantFrom(undefined, 60),
        (bytes, places, strip, limit) => {
          const cuts = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
          expect(pass('openai-chat', bytes, cuts, strip, limit)).toEqual(pass('openai-chat', bytes, [], strip, limit));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes nothing out of a stream but what is added', () => {
    fc.assert(
      fc.property(stream, (bytes) => {
        const kept = pass('openai-chat', bytes, [], true).out;
        const text = bytes.toString('latin1');
        // What is left is what was there with parts missing, in order.
        let at = 0;
        for (const char of kept) {
          at = text.indexOf(char, at) + 1;
          expect(at).toBeGreaterThan(0);
        }
        if (!text.includes('usage')) expect(kept).toBe(text);
      }),
    );
  });
});
