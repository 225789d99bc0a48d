import { describe, expect, it } from '@jest/globals';
import type { Envelope, EnvelopeFault, FormatId } from '../format.ts';
import { type PathInfo, readEnvelope } from './read-envelope.ts';

const PNG_5X5 = 'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4';

const bodyOf = (body: unknown): Buffer =>
  Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));

const read = (format: FormatId, body: unknown, path?: PathInfo): Envelope => {
  const result = readEnvelope(format, bodyOf(body), path);
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return result.envelope;
};

const faultOf = (format: FormatId, body: unknown): EnvelopeFault | null => {
  const result = readEnvelope(format, bodyOf(body));
  return result.ok ? null : result.fault;
};

const chat = (more: object = {}) => ({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }], ...more });
const parts = (...content: object[]) => chat({ messages: [{ role: 'user', content }] });
const claude = (more: object = {}) => ({
  model: 'claude-sonnet-4-5',
  max_tokens: 10,
  messages: [{ role: 'user', content: 'hi' }],
  ...more,
});
const blocks = (...content: object[]) => claude({ messages: [{ role: 'user', content }] });

describe('readEnvelope of a chat body', () => {
  it('reads every priced key', () => {
    const body = chat({
      stream: true,
      max_completion_tokens: 55,
      n: 3,
      stream_options: { include_usage: false },
      user: 'old',
      safety_identifier: 'u-1',
      service_tier: 'flex',
      tools: [
        { type: 'function', function: { name: 'f' } },
        { type: 'custom', custom: {} },
      ],
      functions: [{ name: 'g' }],
    });
    expect(read('openai-chat', body)).toMatchObject({
      format: 'openai-chat',
      model: 'gpt-4o',
      stream: true,
      outputCap: 55,
      choices: 3,
      bytes: bodyOf(body).length,
      ascii: true,
      messages: 1,
      tools: 3,
      images: [],
      imageBytes: 0,
      unboundable: [],
      includeUsage: false,
      user: 'u-1',
      serviceTier: 'flex',
      cacheWrite: null,
    });
  });

  it('reads keys that are written with escapes', () => {
    expect(read('openai-chat', '{"mod\\u0065l":"gpt-\\u0034o","\\u006dax_tokens":7}')).toMatchObject({
      model: 'gpt-4o',
      outputCap: 7,
    });
  });

  it('takes null for absent', () => {
    const body = {
      model: null,
      stream: null,
      max_tokens: null,
      n: null,
      stream_options: null,
      user: null,
      tools: null,
      service_tier: null,
    };
    expect(read('openai-chat', body)).toMatchObject({
      model: null,
      stream: false,
      outputCap: null,
      choices: 1,
      includeUsage: null,
      user: null,
      tools: 0,
    });
    expect(read('openai-chat', { stream_options: { include_usage: null } }).includeUsage).toBeNull();
  });

  it('holds the larger of two caps', () => {
    expect(read('openai-chat', chat({ max_tokens: 5, max_completion_tokens: 900 })).outputCap).toBe(900);
    expect(read('openai-chat', chat({ max_completion_tokens: 900, max_tokens: 5 })).outputCap).toBe(900);
    expect(read('openai-chat', chat({ max_completion_tokens: null, max_tokens: 5 })).outputCap).toBe(5);
  });

  it.each([
    '-1',
    '0',
    '1.5',
    '"100"',
    '1e400',
    '9007199254740993',
    '[]',
    '{}',
    'true',
    '1e2',
    '100.0',
    '-0',
    '""',
    '10000000000000000',
  ])('refuses %s as a cap, naming it', (value) => {
    expect(faultOf('openai-chat', `{"model":"m","max_tokens":${value}}`)).toMatchObject({
      status: 400,
      param: 'max_tokens',
    });
    expect(faultOf('openai-chat', `{"model":"m","max_completion_tokens":${value}}`)).toMatchObject({
      status: 400,
      param: 'max_completion_tokens',
    });
    expect(faultOf('openai-responses', `{"model":"m","max_output_tokens":${value}}`)).toMatchObject({
      status: 400,
      param: 'max_output_tokens',
    });
    expect(faultOf('openai-completions', `{"model":"m","max_tokens":${value}}`)).toMatchObject({
      status: 400,
      param: 'max_tokens',
    });
    expect(faultOf('anthropic-messages', `{"model":"m","max_tokens":${value}}`)).toMatchObject({
      status: 400,
      param: 'max_tokens',
    });
    expect(faultOf('gemini-generate', `{"generationConfig":{"maxOutputTokens":${value}}}`)).toMatchObject({
      status: 400,
      param: 'generationConfig.maxOutputTokens',
    });
  });

  it.each(['{"model":', '{"stream":', '{"model": }', '{"model":"a","stream":x}'])(
    'says of %s that it is no JSON, not that a value is of a wrong type',
    (body) => {
      expect(faultOf('openai-chat', body)).toMatchObject({ status: 400, code: 'invalid_json' });
    },
  );

  it('takes the largest whole number that is exact', () => {
    expect(read('openai-chat', '{"max_tokens":9007199254740991}').outputCap).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each(['0', '129', '1e9', '1000000000', '-1', '"2"', '1.5'])('refuses %s choices', (value) => {
    expect(faultOf('openai-chat', `{"n":${value}}`)).toMatchObject({ status: 400, param: 'n' });
    expect(faultOf('openai-completions', `{"best_of":${value}}`)).toMatchObject({ status: 400, param: 'best_of' });
    expect(faultOf('gemini-generate', `{"generationConfig":{"candidateCount":${value}}}`)).toMatchObject({
      status: 400,
    });
  });

  it.each([
    ['{"stream":"true"}', 'stream'],
    ['{"stream":1}', 'stream'],
    ['{"stream_options":{"include_usage":"no"}}', 'stream_options.include_usage'],
    ['{"stream_options":{"include_usage":0}}', 'stream_options.include_usage'],
    ['{"stream_options":true}', 'stream_options'],
  ])('refuses %s', (body, param) => {
    expect(faultOf('openai-chat', body)).toMatchObject({ status: 400, code: 'invalid_value', param });
  });

  it.each([
    ['""'],
    ['"gpt-4\\n"'],
    ['"a\\u0000"'],
    ['"\\u2028"'],
    ['"\\ud800"'],
    [`"${'x'.repeat(257)}"`],
    [`"${'x'.repeat(10_000)}"`],
    ['5'],
    ['[]'],
    ['{"a":1}'],
  ])('refuses a model of %s', (model) => {
    expect(faultOf('openai-chat', `{"model":${model}}`)).toMatchObject({ status: 400, param: 'model' });
  });

  it('takes a homoglyph as it is: it will match no price', () => {
    expect(read('openai-chat', { model: 'gpt-4о' }).model).toBe('gpt-4о');
  });

  it.each([
    ['{"model":"cheap","model":"dear"}', 'duplicate_key'],
    ['{"model":"cheap","mod\\u0065l":"dear"}', 'duplicate_key'],
    ['{"stream_options":{"include_usage":true,"include_usage":false}}', 'duplicate_key'],
    ['{"messages":[{"role":"user","content":"a","content":"b"}]}', 'duplicate_key'],
    ['{"messages":[{"role":"user","content":[{"type":"text","type":"image_url"}]}]}', 'duplicate_key'],
    ['{"tools":[{"type":"function","type":"web_search"}]}', 'duplicate_key'],
    ['{"MODEL":"dear"}', 'ambiguous_key'],
    ['{"__proto__":{"model":"x"}}', 'forbidden_key'],
    ['{"constructor":{"prototype":{}}}', 'forbidden_key'],
    ['{"model":"x"', 'invalid_json'],
    ['{"model":"x"}x', 'invalid_json'],
    ['[]', 'invalid_json'],
    ['"x"', 'invalid_json'],
    ['', 'invalid_json'],
    ['null', 'invalid_json'],
    [`{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'too_deep'],
    ['\ufeff{}', 'invalid_utf8'],
  ])('refuses %s', (body, code) => {
    expect(faultOf('openai-chat', body)).toMatchObject({ status: 400, code });
  });

  it('refuses bytes that are no UTF-8', () => {
    const body = Buffer.concat([Buffer.from('{"model":"a'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(faultOf('openai-chat', body)).toMatchObject({ status: 400, code: 'invalid_utf8' });
  });

  it('refuses more values than any honest body has, as too large', () => {
    const body = `{"messages":[${Array(260_000).fill('{"role":"user"}').join(',')}]}`;
    expect(faultOf('openai-chat', body)).toMatchObject({ status: 413, code: 'too_complex' });
  });

  it('refuses more images than any honest body has, as too large', () => {
    const body = parts(...Array<object>(4_001).fill({ type: 'image_url', image_url: { url: 'https://x/y' } }));
    expect(faultOf('openai-chat', body)).toMatchObject({ status: 413, code: 'too_many_images' });
  });

  it('leaves keys inside tools, metadata and other skipped values alone', () => {
    const schema = { type: 'object', properties: { constructor: {}, model: {}, Model: {}, max_tokens: 0 } };
    const body = chat({
      tools: [{ type: 'function', function: { parameters: schema } }],
      metadata: { Model: 'x', constructor: 1, user_id: 'x' },
      response_format: { json_schema: schema },
      api_base: 'http://evil',
      base_url: 'http://evil',
    });
    expect(read('openai-chat', body)).toMatchObject({
      model: 'gpt-4o',
      outputCap: null,
      tools: 1,
      user: null,
      unboundable: [],
    });
  });

  it('counts a body as ASCII only where neither a byte nor an escape goes beyond', () => {
    expect(read('openai-chat', '{"model":"m","x":"\\u001b"}').ascii).toBe(true);
    expect(read('openai-chat', '{"model":"m","x":"\\ufdfa"}').ascii).toBe(false);
    expect(read('openai-chat', '{"model":"m","x":"é"}').ascii).toBe(false);
  });

  it('takes a label that is too long or no text as not said', () => {
    expect(read('openai-chat', chat({ user: 'u'.repeat(513) })).user).toBeNull();
    expect(read('openai-chat', chat({ user: 5, service_tier: [] }))).toMatchObject({ user: null, serviceTier: null });
  });

  it('lets the path name the model, whatever the body says', () => {
    expect(read('openai-chat', chat({ model: 'cheap' }), { model: 'deployed' }).model).toBe('deployed');
    expect(read('openai-chat', chat({ stream: true }), { model: null, stream: false })).toMatchObject({
      model: 'gpt-4o',
      stream: true,
    });
  });
});

describe('readEnvelope of pictures', () => {
  const dataUrl = `data:image/png;base64,${PNG_5X5}`;

  it.each([
    [
      'chat, as an object',
      'openai-chat',
      parts({ type: 'image_url', image_url: { url: dataUrl, detail: 'low' } }),
      'low',
    ],
    ['chat, as a bare URL', 'openai-chat', parts({ type: 'image_url', image_url: dataUrl }), null],
    [
      'chat, with the type last',
      'openai-chat',
      parts({ image_url: { detail: 'high', url: dataUrl }, type: 'image_url' }),
      'high',
    ],
    [
      'responses',
      'openai-responses',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: dataUrl, detail: 'auto' }] }] },
      'auto',
    ],
    [
      'responses, detail first',
      'openai-responses',
      { input: [{ role: 'user', content: [{ detail: 'high', type: 'input_image', image_url: dataUrl }] }] },
      'high',
    ],
    [
      'a tool output',
      'openai-responses',
      { input: [{ type: 'function_call_output', output: [{ type: 'input_image', image_url: dataUrl }] }] },
      null,
    ],
    [
      'a screenshot',
      'openai-responses',
      { input: [{ type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: dataUrl } }] },
      null,
    ],
  ] as const)('measures a data URL in %s', (_, format, body, detail) => {
    expect(read(format, body)).toMatchObject({
      images: [{ width: 5, height: 5, detail }],
      imageBytes: dataUrl.length,
      unboundable: [],
    });
  });

  it.each([
    ['an image', blocks({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG_5X5 } })],
    [
      'one whose source has its data first',
      blocks({ source: { data: PNG_5X5, media_type: 'image/png', type: 'base64' }, type: 'image' }),
    ],
    [
      'one in a tool result',
      blocks({
        type: 'tool_result',
        tool_use_id: 'x',
        content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG_5X5 } }],
      }),
    ],
    [
      'one in a document of blocks',
      blocks({
        type: 'document',
        source: {
          type: 'content',
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG_5X5 } }],
        },
      }),
    ],
  ])("measures Anthropic's %s", (_, body) => {
    expect(read('anthropic-messages', body)).toMatchObject({
      images: [{ width: 5, height: 5, detail: null }],
      imageBytes: PNG_5X5.length,
      unboundable: [],
    });
  });

  it.each([
    ['camel', { contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: PNG_5X5 } }] }] }],
    ['snake', { contents: [{ parts: [{ inline_data: { data: PNG_5X5, mime_type: 'IMAGE/PNG' } }] }] }],
    [
      'function response',
      {
        contents: [
          {
            parts: [
              { functionResponse: { name: 'f', parts: [{ inlineData: { mimeType: 'image/png', data: PNG_5X5 } }] } },
            ],
          },
        ],
      },
    ],
  ])("measures Gemini's inline data (%s)", (_, body) => {
    expect(read('gemini-generate', body)).toMatchObject({
      images: [{ width: 5, height: 5 }],
      imageBytes: PNG_5X5.length,
      unboundable: [],
    });
  });

  it.each([
    ['a remote URL', 'openai-chat', parts({ type: 'image_url', image_url: { url: 'http://169.254.169.254/x.png' } })],
    [
      'a file id',
      'openai-responses',
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }] },
    ],
    ['nothing at all', 'openai-chat', parts({ type: 'image_url' })],
    [
      'a remote source',
      'anthropic-messages',
      blocks({ type: 'image', source: { type: 'url', url: 'https://x/y.png' } }),
    ],
    ['a file source', 'anthropic-messages', blocks({ type: 'image', source: { type: 'file', file_id: 'f' } })],
    ['a picture of an earlier call', 'openai-responses', { input: [{ type: 'image_generation_call', id: 'ig_1' }] }],
    [
      'a format that is not read',
      'gemini-generate',
      { contents: [{ parts: [{ inlineData: { mimeType: 'image/heic', data: 'AAAA' } }] }] },
    ],
  ] as const)('knows no dimensions of %s', (_, format, body) => {
    expect(read(format, body).images).toMatchObject([{ width: null, height: null }]);
    expect(read(format, body).unboundable).toEqual([]);
  });

  it('does not take the bytes of a picture whose prefix is written with escapes off the text', () => {
    const body = `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"\\u0064${dataUrl.slice(1)}"}}]}]}`;
    expect(read('openai-chat', body)).toMatchObject({ imageBytes: 0, unboundable: ['document'] });
  });
});

describe('readEnvelope of what has no bound', () => {
  it.each([
    ['hosted_tool', 'openai-chat', chat({ web_search_options: {} })],
    ['hosted_tool', 'openai-chat', chat({ tools: [{ type: 'web_search' }] })],
    ...[
      'web_search',
      'web_search_preview',
      'file_search',
      'code_interpreter',
      'computer_use_preview',
      'mcp',
      'image_generation',
      'whatever_comes',
    ].map((type) => ['hosted_tool', 'openai-responses', { input: 'hi', tools: [{ type }] }] as const),
    ...[
      'web_search_20250305',
      'web_fetch_20250910',
      'code_execution_20250825',
      'computer_20250124',
      'mcp_toolset',
      'tool_search_tool_regex_20251119',
    ].map((type) => ['hosted_tool', 'anthropic-messages', claude({ tools: [{ type, name: 'x' }] })] as const),
    ['hosted_tool', 'anthropic-messages', claude({ mcp_servers: [{ url: 'https://x' }] })],
    ['hosted_tool', 'anthropic-messages', claude({ container: { skills: [] } })],
    ...[
      'googleSearch',
      'google_search',
      'googleSearchRetrieval',
      'codeExecution',
      'urlContext',
      'fileSearch',
      'computerUse',
      'googleMaps',
    ].map((name) => ['hosted_tool', 'gemini-generate', { contents: [], tools: [{ [name]: {} }] }] as const),
    ['previous_response', 'openai-responses', { input: 'hi', previous_response_id: 'resp_1' }],
    ['previous_response', 'openai-responses', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['conversation', 'openai-responses', { input: 'hi', conversation: 'conv_1' }],
    ['conversation', 'openai-responses', { input: 'hi', conversation: { id: 'conv_1' } }],
    ['stored_prompt', 'openai-responses', { prompt: { id: 'pmpt_1', variables: {} } }],
    ['background', 'openai-responses', { input: 'hi', background: true }],
    ['file_reference', 'openai-chat', parts({ type: 'file', file: { file_id: 'file-1' } })],
    [
      'document',
      'openai-chat',
      parts({ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } }),
    ],
    ['document', 'openai-chat', parts({ type: 'image_url', image_url: { url: 'data:application/pdf;base64,AAAA' } })],
    [
      'file_reference',
      'openai-responses',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] },
    ],
    [
      'document',
      'openai-responses',
      { input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'https://x/a.pdf' }] }] },
    ],
    [
      'document',
      'anthropic-messages',
      blocks({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } }),
    ],
    ['document', 'anthropic-messages', blocks({ type: 'document', source: { type: 'url', url: 'https://x/a.pdf' } })],
    ['file_reference', 'anthropic-messages', blocks({ type: 'document', source: { type: 'file', file_id: 'f' } })],
    ['file_reference', 'anthropic-messages', blocks({ type: 'container_upload', file_id: 'f' })],
    ['audio_input', 'openai-chat', parts({ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } })],
    ['audio_input', 'openai-chat', chat({ messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] })],
    ['audio_input', 'openai-chat', parts({ type: 'audio_url', audio_url: { url: 'https://x' } })],
    ['video', 'openai-chat', parts({ type: 'video_url', video_url: { url: 'https://x' } })],
    ['prediction', 'openai-chat', chat({ prediction: { type: 'content', content: 'x' } })],
    ['unknown_part', 'openai-chat', parts({ type: 'hologram' })],
    ['unknown_part', 'anthropic-messages', blocks({ type: 'hologram' })],
    ['unknown_part', 'gemini-generate', { contents: [{ parts: [{ hologram: {} }] }] }],
    ['unknown_part', 'openai-embeddings', { input: [{ image: 'x' }] }],
    ['cached_content', 'gemini-generate', { contents: [], cachedContent: 'cachedContents/1' }],
    ['cached_content', 'gemini-generate', { contents: [], cached_content: 'cachedContents/1' }],
    ['file_reference', 'gemini-generate', { contents: [{ parts: [{ fileData: { fileUri: 'https://youtu.be/x' } }] }] }],
    ['video', 'gemini-generate', { contents: [{ parts: [{ videoMetadata: { fps: 1 } }] }] }],
    ['video', 'gemini-generate', { contents: [{ parts: [{ inlineData: { mimeType: 'video/mp4', data: 'AAAA' } }] }] }],
    [
      'audio_input',
      'gemini-generate',
      { contents: [{ parts: [{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }] }] },
    ],
    [
      'document',
      'gemini-generate',
      { contents: [{ parts: [{ inlineData: { mimeType: 'application/pdf', data: 'AAAA' } }] }] },
    ],
    ['document', 'gemini-generate', { systemInstruction: { parts: [{ inlineData: { data: 'AAAA' } }] } }],
  ] as const)('flags %s in %s: %j', (why, format, body) => {
    expect(read(format, body).unboundable).toEqual([why]);
  });

  it.each([
    [
      'openai-chat',
      chat({
        messages: [{ role: 'assistant', audio: null, content: null, tool_calls: [{ type: 'function' }] }],
        prediction: null,
        audio: { voice: 'x' },
      }),
    ],
    ['openai-chat', parts({ type: 'text', text: 'a' }, { type: 'refusal', refusal: 'no' })],
    [
      'openai-responses',
      {
        input: 'hi',
        previous_response_id: null,
        conversation: null,
        prompt: null,
        background: false,
        tools: [{ type: 'function' }],
      },
    ],
    [
      'openai-responses',
      {
        input: [
          { type: 'reasoning', encrypted_content: 'x' },
          { type: 'function_call', arguments: '{}' },
          { role: 'user', content: 'x' },
        ],
      },
    ],
    [
      'anthropic-messages',
      claude({
        tools: [
          { name: 'f', input_schema: {} },
          { type: 'custom', name: 'g' },
          { type: 'bash_20250124', name: 'bash' },
        ],
        mcp_servers: [],
      }),
    ],
    [
      'anthropic-messages',
      blocks(
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hello' } },
        { type: 'thinking', thinking: 'x' },
      ),
    ],
    [
      'anthropic-messages',
      blocks({ type: 'tool_use', id: 'x', name: 'f', input: { type: 'hologram', Content: 1, image_url: 'x', a: 1 } }),
    ],
    [
      'gemini-generate',
      {
        contents: [
          { role: 'user', parts: [{ text: 'a', thoughtSignature: 'x' }, { functionCall: { args: { fileData: 1 } } }] },
        ],
        tools: [{ functionDeclarations: [{ name: 'f' }], googleSearch: null }],
      },
    ],
  ] as const)('flags nothing in %s: %j', (format, body) => {
    expect(read(format, body).unboundable).toEqual([]);
  });
});

describe('readEnvelope of the other formats', () => {
  it.each([
    ['a text', 'hi', 1, 1],
    ['texts', ['a', 'b', 'c'], 3, 3],
    ['token numbers', [1, 2, 3], 1, 1],
    ['lists of token numbers', [[1, 2], [3]], 2, 2],
    ['nothing', [], 0, 1],
  ])('counts %s as inputs of a completion', (_, prompt, messages, choices) => {
    expect(read('openai-completions', { model: 'm', prompt, max_tokens: 4 })).toMatchObject({
      messages,
      choices,
      outputCap: 4,
    });
    expect(read('openai-embeddings', { model: 'm', input: prompt })).toMatchObject({
      messages,
      choices: 1,
      outputCap: null,
    });
  });

  it('bills the larger of n and best_of for each prompt', () => {
    expect(read('openai-completions', { prompt: ['a', 'b'], n: 2, best_of: 5 }).choices).toBe(10);
    expect(
      read('openai-completions', { best_of: 1, n: 4, stream: true, stream_options: { include_usage: true } }),
    ).toMatchObject({ choices: 4, includeUsage: true });
  });

  it('reads a Responses body', () => {
    const body = {
      model: 'gpt-5',
      input: [
        { role: 'user', content: 'a' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'b' }] },
      ],
      max_output_tokens: 9,
      stream: true,
      instructions: 'x',
      tools: [{ type: 'function' }],
    };
    expect(read('openai-responses', body)).toMatchObject({
      model: 'gpt-5',
      messages: 2,
      outputCap: 9,
      stream: true,
      tools: 1,
    });
    expect(read('openai-responses', { input: 'hi' }).messages).toBe(1);
    expect(read('openai-responses', { input: [] }).messages).toBe(1);
    expect(faultOf('openai-responses', { background: 'yes' })).toMatchObject({ param: 'background' });
  });

  it('does not take a cap of another format for its own', () => {
    expect(read('openai-chat', { max_output_tokens: 5, maxOutputTokens: 5 }).outputCap).toBeNull();
    expect(read('openai-responses', { max_tokens: 5, max_completion_tokens: 5 }).outputCap).toBeNull();
    expect(read('anthropic-messages', { max_completion_tokens: 5, max_output_tokens: 5 }).outputCap).toBeNull();
    expect(read('openai-completions', { max_completion_tokens: 5 }).outputCap).toBeNull();
    expect(read('gemini-generate', { maxOutputTokens: 5, max_tokens: 5 }).outputCap).toBeNull();
  });

  it('reads a Messages body', () => {
    const body = claude({
      stream: true,
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral' } }],
      metadata: { user_id: 'u' },
      service_tier: 'auto',
    });
    expect(read('anthropic-messages', body)).toMatchObject({
      model: 'claude-sonnet-4-5',
      stream: true,
      outputCap: 10,
      messages: 1,
      user: 'u',
      serviceTier: 'auto',
      cacheWrite: '5m',
    });
    expect(read('anthropic-messages', claude({ service_tier: 'auto', speed: 'fast' })).serviceTier).toBe('fast');
    expect(read('anthropic-messages', claude({ metadata: null, system: 'x' })).user).toBeNull();
  });

  it.each([
    [{ cache_control: { type: 'ephemeral' } }, '5m'],
    [{ cache_control: { type: 'ephemeral', ttl: '5m' } }, '5m'],
    [{ cache_control: { type: 'ephemeral', ttl: '1h' } }, '1h'],
    [{ cache_control: { type: 'ephemeral', ttl: '1w' } }, '1h'],
    [{ cache_control: null }, null],
    [{ tools: [{ name: 'f', cache_control: { ttl: '1h' } }], system: [{ type: 'text', cache_control: {} }] }, '1h'],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'tool_result', content: [{ type: 'text', cache_control: {} }] }] },
        ],
      },
      '5m',
    ],
  ] as const)('takes %j for a cache write of %s', (more, expected) => {
    expect(read('anthropic-messages', claude(more)).cacheWrite).toBe(expected);
  });

  it('reads a Gemini body in either spelling, with model and stream from the path', () => {
    const body = {
      contents: [{ parts: [{ text: 'a' }] }, { parts: [{ text: 'b' }] }],
      generation_config: { max_output_tokens: 8, candidate_count: 2 },
      tools: [{ function_declarations: [{ name: 'f' }, { name: 'g' }] }],
      system_instruction: { parts: [{ text: 's' }] },
      service_tier: 'flex',
    };
    expect(read('gemini-generate', body, { model: 'gemini-2.5-pro', stream: true })).toMatchObject({
      model: 'gemini-2.5-pro',
      stream: true,
      messages: 2,
      tools: 2,
      outputCap: 8,
      choices: 2,
      serviceTier: 'flex',
      unboundable: [],
    });
    expect(read('gemini-generate', { contents: { parts: { text: 'a' } }, tools: null })).toMatchObject({
      messages: 1,
      unboundable: [],
    });
    expect(faultOf('gemini-generate', { generationConfig: {}, generation_config: {} })).toMatchObject({
      code: 'duplicate_key',
    });
    expect(faultOf('gemini-generate', { generationConfig: 'x' })).toMatchObject({ param: 'generationConfig' });
    expect(read('gemini-generate', { generationConfig: null }).outputCap).toBeNull();
  });

  it.each([
    ['openai-chat', { messages: 'x', tools: 'x', functions: 'x', stream_options: {} }],
    ['openai-chat', { messages: [5, 'x', null, { content: 5 }], tools: [5] }],
    ['anthropic-messages', { messages: {}, tools: 'x', metadata: 'x', system: 5, cache_control: 'x' }],
    ['anthropic-messages', { tools: ['x'], messages: [{ content: [{ type: 'image', source: 'x' }] }] }],
    [
      'openai-chat',
      {
        messages: [
          {
            content: [
              { type: 'file', file: 'x' },
              { type: 'image_url', image_url: 5 },
            ],
          },
        ],
      },
    ],
    [
      'gemini-generate',
      {
        contents: ['x', { parts: ['x', { inlineData: 'x', functionResponse: 'x' }] }],
        systemInstruction: 'x',
        tools: ['x'],
      },
    ],
  ] as const)('leaves odd shapes in %s to the provider: %j', (format, body) => {
    expect(readEnvelope(format, bodyOf(body)).ok).toBe(true);
  });

  it.each([
    ['enabled', { type: 'enabled', budget_tokens: 1024 }, true],
    ['of a kind to come', { type: 'adaptive' }, true],
    ['disabled', { type: 'disabled' }, false],
    ['null', null, false],
    ['absent', undefined, false],
  ])('tells whether Claude is asked to think: %s', (_what, thinking, expected) => {
    expect(read('anthropic-messages', claude({ thinking })).asksThinking).toBe(expected);
  });
});
