import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FormatId } from '../format.ts';
import { readEnvelope } from './read-envelope.ts';
import { type RequestChanges, spliceRequest } from './splice.ts';

const spliced = (format: FormatId, body: string, changes: RequestChanges): string => {
  const bytes = Buffer.from(body);
  const result = readEnvelope(format, bytes);
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return Buffer.concat(spliceRequest(bytes, result.envelope, changes)).toString();
};

describe('spliceRequest', () => {
  it.each([
    ['openai-chat', '{}', { outputCap: 5 }, '{"max_completion_tokens":5}'],
    [
      'openai-chat',
      '{ }',
      { outputCap: 5, includeUsage: true, model: 'm' },
      '{"model":"m","max_completion_tokens":5,"stream_options":{"include_usage":true} }',
    ],
    ['openai-chat', '{"a":1}', { outputCap: 5, outputCapField: 'max_tokens' }, '{"max_tokens":5,"a":1}'],
    ['openai-chat', ' \n{ "a":1}\n', { includeUsage: true }, ' \n{"stream_options":{"include_usage":true}, "a":1}\n'],
    ['openai-chat', '{"max_tokens": 10 }', { outputCap: 5 }, '{"max_tokens": 5 }'],
    [
      'openai-chat',
      '{"max_tokens":10,"max_completion_tokens":20}',
      { outputCap: 5 },
      '{"max_tokens":5,"max_completion_tokens":5}',
    ],
    [
      'openai-chat',
      '{"max_tokens":null,"max_completion_tokens":20}',
      { outputCap: 5 },
      '{"max_tokens":null,"max_completion_tokens":5}',
    ],
    ['openai-chat', '{"max_completion_tokens":null}', { outputCap: 5 }, '{"max_completion_tokens":5}'],
    ['openai-chat', '{"max_tokens":null}', { outputCap: 5 }, '{"max_completion_tokens":5,"max_tokens":null}'],
    ['openai-chat', '{"stream_options":null}', { includeUsage: true }, '{"stream_options":{"include_usage":true}}'],
    ['openai-chat', '{"stream_options":{}}', { includeUsage: true }, '{"stream_options":{"include_usage":true}}'],
    [
      'openai-chat',
      '{"stream_options":{ "x":1}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true, "x":1}}',
    ],
    [
      'openai-chat',
      '{"stream_options":{"include_usage":false}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true}}',
    ],
    [
      'openai-chat',
      '{"stream_options":{"include_usage":null}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true}}',
    ],
    [
      'openai-chat',
      '{"stream_options":{"include_usage":true}}',
      { includeUsage: true },
      '{"stream_options":{"include_usage":true}}',
    ],
    ['openai-chat', '{"mod\\u0065l":"a"}', { model: 'b"c' }, '{"mod\\u0065l":"b\\"c"}'],
    ['openai-chat', '{"model":null}', { model: 'b' }, '{"model":"b"}'],
    ['openai-completions', '{"prompt":"a"}', { outputCap: 5 }, '{"max_tokens":5,"prompt":"a"}'],
    ['openai-responses', '{"input":"a"}', { outputCap: 5 }, '{"max_output_tokens":5,"input":"a"}'],
    ['openai-embeddings', '{"input":"a"}', { outputCap: 5 }, '{"input":"a"}'],
    ['anthropic-messages', '{"max_tokens":9}', { outputCap: 5, model: 'm' }, '{"model":"m","max_tokens":5}'],
    ['gemini-generate', '{}', { outputCap: 5, model: 'm' }, '{"generationConfig":{"maxOutputTokens":5}}'],
    [
      'gemini-generate',
      '{"contents":[]}',
      { outputCap: 5 },
      '{"generationConfig":{"maxOutputTokens":5},"contents":[]}',
    ],
    [
      'gemini-generate',
      '{"generation_config": {"temperature":1}}',
      { outputCap: 5 },
      '{"generation_config": {"maxOutputTokens":5,"temperature":1}}',
    ],
    ['gemini-generate', '{"generationConfig":{ }}', { outputCap: 5 }, '{"generationConfig":{"maxOutputTokens":5 }}'],
    ['gemini-generate', '{"generationConfig":null}', { outputCap: 5 }, '{"generationConfig":{"maxOutputTokens":5}}'],
    [
      'gemini-generate',
      '{"generationConfig":{"max_output_tokens":8}}',
      { outputCap: 5 },
      '{"generationConfig":{"max_output_tokens":5}}',
    ],
  ] as const)('turns %s %s with %j into %s', (format, body, changes, expected) => {
    expect(spliced(format, body, changes)).toBe(expected);
  });

  it('gives the body itself where nothing changes', () => {
    const body = Buffer.from('{"model":"m"}');
    const result = readEnvelope('openai-chat', body);
    if (!result.ok) throw new Error(result.fault.message);
    expect(spliceRequest(body, result.envelope, {})).toEqual([body]);
    expect(spliceRequest(body, result.envelope, {})[0]).toBe(body);
  });

  it('changes what was asked and nothing else, of any body', () => {
    const bodies = fc.record(
      {
        model: fc.constantFrom('gpt-4o', 'é', null),
        max_tokens: fc.constantFrom(null, 7, 100),
        max_completion_tokens: fc.constantFrom(null, 9),
        stream_options: fc.constantFrom(
          null,
          {},
          { include_usage: false },
          { include_usage: true, include_obfuscation: false },
        ),
        messages: fc.array(fc.record({ role: fc.constant('user'), content: fc.string({ unit: 'grapheme' }) })),
        temperature: fc.double({ noNaN: true, noDefaultInfinity: true }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(bodies, fc.boolean(), fc.constantFrom(0, 2), fc.boolean(), (body, withUsage, indent, withModel) => {
        const text = JSON.stringify(body, null, indent);
        const changes = {
          outputCap: 3,
          ...(withUsage ? { includeUsage: true } : {}),
          ...(withModel ? { model: 'other' } : {}),
        };
        const changed: unknown = JSON.parse(spliced('openai-chat', text, changes));
        const caps = [body.max_tokens, body.max_completion_tokens].some((cap) => cap != null);
        const expected = {
          ...body,
          ...(caps && body.max_tokens != null ? { max_tokens: 3 } : {}),
          ...(!caps || body.max_completion_tokens != null ? { max_completion_tokens: 3 } : {}),
          ...(withUsage ? { stream_options: { ...body.stream_options, include_usage: true } } : {}),
          ...(withModel ? { model: 'other' } : {}),
        };
        // JSON knows no -0.
        expect(changed).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });

  it('gives back the original bytes when its insertions are taken out', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'messages', 'temperature', 'é'), fc.jsonValue({ maxDepth: 2 })),
        fc.constantFrom(0, 1),
        (body, indent) => {
          const bytes = Buffer.from(JSON.stringify(body, null, indent));
          const result = readEnvelope('openai-chat', bytes);
          if (!result.ok) return;
          const pieces = spliceRequest(bytes, result.envelope, { outputCap: 3, includeUsage: true, model: 'm' });
          const own = pieces.filter(
            (piece) =>
              piece.buffer === bytes.buffer &&
              piece.byteOffset >= bytes.byteOffset &&
              piece.byteOffset < bytes.byteOffset + bytes.length,
          );
          expect(Buffer.concat(own.length === pieces.length ? pieces : own).equals(bytes)).toBe(true);
          expect(pieces.length).toBeLessThanOrEqual(3);
        },
      ),
    );
  });
});
