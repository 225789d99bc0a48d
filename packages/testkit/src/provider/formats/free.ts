/** Answers that cost nothing: model lists, token counting, moderation. */
import { listAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { LISTED } from '../model-names.ts';
import { fingerprint } from '../chance.ts';
import { isFault } from '../ask.ts';
import type { IncomingCall } from '../wire-format.ts';
import { readSegments } from './anthropic-input.ts';
import { geminiGenerate } from './gemini-generate.ts';

/** Null = the provider would say 404. `model` is null where a whole list is asked for. */
export type FreeAnswer = (call: IncomingCall, model: string | null) => JsonObject | null;

export const answerOpenAiModels: FreeAnswer = (_call, model) => {
  const data = LISTED.openai.map((id) => ({ id, object: 'model', created: 1_715_367_049, owned_by: 'system' }));
  return model === null ? { object: 'list', data } : (data.find(({ id }) => id === model) ?? null);
};

export const answerAnthropicModels: FreeAnswer = (_call, model) => {
  const data = LISTED.anthropic.map((id) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: '2025-09-29T00:00:00Z',
  }));
  if (model !== null) return data.find(({ id }) => id === model) ?? null;
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
};

export const answerGeminiModels: FreeAnswer = (_call, model) => {
  const models = LISTED.gemini.map((id) => ({
    name: `models/${id}`,
    version: '001',
    displayName: id,
    inputTokenLimit: 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods: ['generateContent', 'countTokens', 'createCachedContent', 'batchGenerateContent'],
  }));
  return model === null ? { models } : (models.find(({ name }) => name === `models/${model}`) ?? null);
};

export const countAnthropic: FreeAnswer = ({ body }) =>
  listAt(body, 'messages').length === 0
    ? null
    : { input_tokens: readSegments(body).reduce((sum, segment) => sum + segment.tokens, 0) };

export const countGemini: FreeAnswer = (call) => {
  const ask = geminiGenerate.readAsk(call);
  if (isFault(ask)) return null;
  const tokens = ask.segments.reduce((sum, segment) => sum + segment.tokens, 0);
  return { totalTokens: tokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }] };
};

const CATEGORIES = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'];

export const answerModeration: FreeAnswer = ({ body, model }) => {
  const inputs = Array.isArray(body['input']) ? body['input'] : [body['input']];
  const fill = (value: boolean | number): JsonObject => Object.fromEntries(CATEGORIES.map((name) => [name, value]));
  return {
    id: `modr-${fingerprint(body).slice(0, 29)}`,
    model: model === '' ? 'omni-moderation-latest' : model,
    results: inputs.map(() => ({ flagged: false, categories: fill(false), category_scores: fill(0.0001) })),
  };
};
