/** The official Google client is the judge of the simulator's wire shapes. */
import { createPartFromFunctionResponse, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { lendOuterDispatcher } from '../outer-dispatcher.ts';
import { startMockProvider } from './mock-provider.ts';
import type { MockProvider } from './mock-provider.ts';

let provider: MockProvider;
let google: GoogleGenAI;

beforeAll(async () => {
  lendOuterDispatcher();
  provider = await startMockProvider();
  google = new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: provider.url } });
});
afterAll(() => provider.stop());

const model = 'gemini-2.5-flash';
const contents = 'What does the bridge cost?';
const tools = [
  {
    functionDeclarations: [
      { name: 'get_weather', parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } } },
    ],
  },
];

it('answers a plain call, the thoughts on top of the candidates', async () => {
  const answer = await google.models.generateContent({ model, contents });
  const usage = answer.usageMetadata;
  expect(answer.text).not.toBe('');
  expect(answer.modelVersion).toBe(model);
  expect(usage?.thoughtsTokenCount).toBeGreaterThan(0);
  expect(usage?.totalTokenCount).toBe(
    (usage?.promptTokenCount ?? 0) + (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
  );
});

it('streams the words of its twin, and the last chunk’s usage is its twin’s', async () => {
  const whole = await google.models.generateContent({ model, contents });
  let text = '';
  let usage;
  for await (const chunk of await google.models.generateContentStream({ model, contents })) {
    text += chunk.text ?? '';
    usage = chunk.usageMetadata ?? usage;
  }
  expect(text).toBe(whole.text);
  expect(usage).toEqual(whole.usageMetadata);
});

it('stops at maxOutputTokens, thoughts included', async () => {
  const answer = await google.models.generateContent({
    model: 'gemini-2.0-flash',
    contents,
    config: { maxOutputTokens: 7 },
  });
  expect(answer.candidates?.[0]?.finishReason).toBe('MAX_TOKENS');
  expect(answer.usageMetadata?.candidatesTokenCount).toBe(7);
});

it('calls a function, streaming and not, and answers in words once it has the result', async () => {
  const config = { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } };
  const whole = await google.models.generateContent({ model, contents, config });
  expect(whole.functionCalls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }]);
  const calls = [];
  for await (const chunk of await google.models.generateContentStream({ model, contents, config }))
    calls.push(...(chunk.functionCalls ?? []));
  expect(calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }]);
  const later = await google.models.generateContent({
    model,
    config: { tools },
    contents: [
      { role: 'user', parts: [{ text: contents }] },
      { role: 'model', parts: [{ functionCall: { name: 'get_weather', args: { city: 'Paris' } } }] },
      { role: 'user', parts: [createPartFromFunctionResponse('call-1', 'get_weather', { sky: 'blue' })] },
    ],
  });
  expect(later.text).toContain('blue');
});

it('counts tokens as it would bill them, for nothing', async () => {
  const counted = await google.models.countTokens({ model, contents });
  const answer = await google.models.generateContent({ model, contents });
  expect(counted.totalTokens).toBe(answer.usageMetadata?.promptTokenCount);
});

it('lists models', async () => {
  const names = [];
  for await (const one of await google.models.list()) names.push(one.name);
  expect(names).toContain(`models/${model}`);
});

it('raises the client’s own error with the provider’s status', async () => {
  await expect(google.models.generateContent({ model: `${model}~status=429`, contents })).rejects.toMatchObject({
    status: 429,
  });
});
