/** Which path speaks which format. A host compatible with OpenAI may have any prefix, so the end of a path decides. */
import {
  answerAnthropicModels,
  answerGeminiModels,
  answerModeration,
  answerOpenAiModels,
  countAnthropic,
  countGemini,
} from './formats/free.ts';
import type { FreeAnswer } from './formats/free.ts';
import { anthropicErrors } from './formats/anthropic-errors.ts';
import { anthropicMessages } from './formats/anthropic-messages.ts';
import { geminiErrors } from './formats/gemini-errors.ts';
import { geminiGenerate } from './formats/gemini-generate.ts';
import { openAiChat } from './formats/openai-chat.ts';
import { openAiCompletions } from './formats/openai-completions.ts';
import { openAiEmbeddings } from './formats/openai-embeddings.ts';
import { openAiErrors } from './formats/openai-errors.ts';
import { openAiResponses } from './formats/openai-responses.ts';
import type { ErrorStyle, WireFormat } from './wire-format.ts';

interface Common {
  readonly errors: ErrorStyle;
  /** As the path says it, with its behaviour suffix; null = the body says it. */
  readonly model: string | null;
  readonly dialect: 'plain' | 'azure';
}

export interface MeteredRoute extends Common {
  readonly kind: 'metered';
  readonly format: WireFormat;
  readonly stream: boolean;
}

export interface FreeRoute extends Common {
  readonly kind: 'free';
  readonly answer: FreeAnswer;
}

/** Three providers list their models at `/v1/models`; the client's headers tell them apart. */
export type ClientFamily = 'openai' | 'anthropic' | 'google';

const OPENAI_ENDINGS: readonly (readonly [string, WireFormat])[] = [
  ['/chat/completions', openAiChat],
  ['/completions', openAiCompletions],
  ['/responses', openAiResponses],
  ['/embeddings', openAiEmbeddings],
];

export const findRoute = (method: string, path: string, client: ClientFamily): MeteredRoute | FreeRoute | null =>
  findGemini(method, path, client) ?? findAnthropic(method, path, client) ?? findOpenAi(method, path);

const findGemini = (method: string, path: string, client: ClientFamily): MeteredRoute | FreeRoute | null => {
  const common = { errors: geminiErrors, dialect: 'plain' } as const;
  const action = /\/models\/([^/]+):([a-zA-Z]+)$/.exec(path);
  if (action !== null && method === 'POST') {
    const model = decodeURIComponent(action[1] ?? '');
    const isStream = action[2] === 'streamGenerateContent';
    if (isStream || action[2] === 'generateContent')
      return { ...common, kind: 'metered', format: geminiGenerate, model, stream: isStream };
    if (action[2] === 'countTokens') return { ...common, kind: 'free', answer: countGemini, model };
    return null;
  }
  const listed = /\/(v1(?:beta|alpha)?)\/models(?:\/([^/:]+))?$/.exec(path);
  if (listed === null || (listed[1] === 'v1' && client !== 'google')) return null;
  return method === 'GET' ? { ...common, kind: 'free', answer: answerGeminiModels, model: listed[2] ?? null } : null;
};

const findAnthropic = (method: string, path: string, client: ClientFamily): MeteredRoute | FreeRoute | null => {
  const common = { errors: anthropicErrors, dialect: 'plain', model: null } as const;
  if (method === 'POST' && path.endsWith('/messages'))
    return { ...common, kind: 'metered', format: anthropicMessages, stream: false };
  if (method === 'POST' && path.endsWith('/messages/count_tokens'))
    return { ...common, kind: 'free', answer: countAnthropic };
  const listed = /\/models(?:\/([^/]+))?$/.exec(path);
  if (client !== 'anthropic' || listed === null || method !== 'GET') return null;
  return { ...common, kind: 'free', answer: answerAnthropicModels, model: listed[1] ?? null };
};

const findOpenAi = (method: string, path: string): MeteredRoute | FreeRoute | null => {
  const deployment = /\/openai\/deployments\/([^/]+)\//.exec(path)?.[1];
  const dialect = path.includes('/openai/deployments/') || path.includes('/openai/v1/') ? 'azure' : 'plain';
  const common = {
    errors: openAiErrors,
    dialect,
    model: deployment === undefined ? null : decodeURIComponent(deployment),
  } as const;
  if (method === 'POST') {
    for (const [ending, format] of OPENAI_ENDINGS)
      if (path.endsWith(ending)) return { ...common, kind: 'metered', format, stream: false };
    return path.endsWith('/moderations') ? { ...common, kind: 'free', answer: answerModeration } : null;
  }
  const listed = /\/models(?:\/([^/]+))?$/.exec(path);
  return listed !== null && method === 'GET'
    ? { ...common, kind: 'free', answer: answerOpenAiModels, model: listed[1] ?? null }
    : null;
};
