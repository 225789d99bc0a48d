import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planAnswer } from './answer-plan.ts';
import { fingerprint } from './chance.ts';
import { allInput, allOutput } from './mock-usage.ts';
import { makePromptCache } from './prompt-cache.ts';
import { makeScript } from './script.ts';
import {
  anthropicImageTokens,
  countText,
  geminiImageTokens,
  openAiImageTokens,
  pngSize,
  urlImageSize,
} from './token-count.ts';

const deps = () => ({
  seed: 1,
  cache: makePromptCache(),
  script: makeScript(),
  deployments: {},
  conversations: new Map<string, number>(),
});

const planOf = (path: string, body: unknown) => {
  const bytes = Buffer.from(JSON.stringify(body));
  const incoming = {
    method: 'POST',
    path,
    query: new URLSearchParams(),
    body: bytes,
    sha256: fingerprint(body),
    headerNames: [],
  };
  return { bytes: bytes.length, plan: planAnswer(incoming, {}, deps()) };
};

const anyText = fc.string({ unit: 'binary' });

describe('the simulator’s tokenizer', () => {
  it('counts four bytes as a token, begun ones whole', () => {
    expect(['', 'a', 'abcd', 'abcde', '橋', '🌉🌉'].map(countText)).toEqual([0, 1, 1, 2, 1, 2]);
  });

  it('never bills more input than a token a byte and three a message, in any format', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 6 }), fc.array(json, { maxLength: 3 }), (texts, odd) => {
        const messages = texts.map((content) => ({ role: 'user', content }));
        const tools = odd.map((parameters) => ({ name: 'f', parameters, input_schema: parameters }));
        const calls: [string, object, number][] = [
          ['/v1/chat/completions', { model: 'm', messages, tools }, texts.length],
          ['/v1/messages', { model: 'm', max_tokens: 5, messages, tools, system: texts[0] }, texts.length],
          ['/v1/responses', { model: 'm', input: messages, tools }, texts.length],
          ['/v1/embeddings', { model: 'm', input: texts }, texts.length],
          ['/v1/completions', { model: 'm', prompt: texts }, texts.length],
          [
            '/v1beta/models/m:generateContent',
            {
              contents: texts.map((text) => ({ role: 'user', parts: [{ text }] })),
              tools: [{ functionDeclarations: tools }],
            },
            texts.length,
          ],
        ];
        for (const [path, body, count] of calls) {
          const { bytes, plan } = planOf(path, body);
          expect(plan.status).toBe(200);
          expect(allInput(plan.usage)).toBeLessThanOrEqual(bytes + 3 * count);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('never says more than the cap, whatever the model', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom('gpt-4o', 'o3', 'gpt-5'),
        fc.integer({ min: 1, max: 4 }),
        (cap, model, n) => {
          const body = { model, messages: [{ role: 'user', content: 'hi' }], max_completion_tokens: cap, n };
          expect(allOutput(planOf('/v1/chat/completions', body).plan.usage)).toBeLessThanOrEqual(cap * n);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('pictures', () => {
  const header = Buffer.concat([
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    Buffer.from([0, 0, 4, 0, 0, 0, 2, 0]),
  ]);
  const png = header.toString('base64');

  it('reads the size of a PNG, and takes anything else for 1024 × 1024', () => {
    expect(pngSize(png)).toEqual({ width: 1024, height: 512 });
    expect(urlImageSize(`data:image/png;base64,${png}`)).toEqual({ width: 1024, height: 512 });
    expect(urlImageSize('https://example.com/a.png')).toEqual({ width: 1024, height: 1024 });
  });

  it('bills them as each provider documents', () => {
    const size = { width: 1024, height: 1024 };
    expect(openAiImageTokens('gpt-4o', size, 'high')).toBe(765);
    expect(openAiImageTokens('gpt-4o', size, 'low')).toBe(85);
    expect(openAiImageTokens('gpt-4o-mini', size, null)).toBe(2833 + 4 * 5667);
    expect(openAiImageTokens('gpt-4.1-mini', size, null)).toBe(1659);
    expect(anthropicImageTokens(size)).toBe(1399);
    expect([geminiImageTokens({ width: 300, height: 300 }), geminiImageTokens(size)]).toEqual([258, 1032]);
  });

  it('finds them in each format', () => {
    const url = `data:image/png;base64,${png}`;
    const chat = planOf('/v1/chat/completions', {
      model: 'gpt-4o',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url, detail: 'low' } },
            { type: 'input_audio', input_audio: { data: 'A'.repeat(2001) } },
          ],
        },
      ],
    });
    expect(chat.plan.usage).toMatchObject({ input: 88, audioInput: 3 });
    const responses = planOf('/v1/responses', {
      model: 'gpt-4o',
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: url, detail: 'low' }] }],
    });
    expect(responses.plan.usage.input).toBe(88);
    const source = { type: 'base64', media_type: 'image/png', data: png };
    const claude = planOf('/v1/messages', {
      model: 'c',
      max_tokens: 1,
      messages: [{ role: 'user', content: [{ type: 'image', source }] }],
    });
    expect(claude.plan.usage.input).toBe(703);
    const gemini = planOf('/v1beta/models/g:generateContent', {
      contents: [{ parts: [{ inlineData: { mimeType: 'image/png', data: png } }, { fileData: { fileUri: 'x' } }] }],
    });
    expect(gemini.plan.usage.input).toBe(3 + 516 + 258);
  });
});
