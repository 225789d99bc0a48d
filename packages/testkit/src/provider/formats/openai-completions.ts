/** OpenAI's legacy completions: https://platform.openai.com/docs/api-reference/completions */
import { askFault } from '../ask.ts';
import type { Ask, AskFault, Segment } from '../ask.ts';
import { countAt, flagAt, has } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { answeredName } from '../model-names.ts';
import { group } from '../pieces.ts';
import type { Rendering, StreamPart, WireFormat, IncomingCall } from '../wire-format.ts';
import { DEFAULT_CHUNK_TOKENS } from '../wire-format.ts';
import { usageField, usageFrames } from '../reported-usage.ts';
import { openAiErrors } from './openai-errors.ts';
import { readPrompts } from './openai-prompts.ts';
import { openAiUsage } from './openai-usage.ts';

/** What OpenAI assumes where the caller says nothing. */
const DEFAULT_CAP = 16;
const MAX_CHOICES = 128;

const readAsk = ({ body, model }: IncomingCall): Ask | AskFault => {
  const prompts = has(body, 'prompt') ? readPrompts(body['prompt']) : [{ text: '', tokens: 0 }];
  const each = has(body, 'n') ? countAt(body, 'n') : 1;
  const best = has(body, 'best_of') ? countAt(body, 'best_of') : each;
  if (each === null || best === null || each < 1 || each > MAX_CHOICES || best > MAX_CHOICES)
    return askFault("Invalid 'n'.", 'n');
  if (best < each) return askFault("'best_of' must be at least 'n'.", 'best_of');
  const segments: Segment[] = prompts.map((prompt) => ({ ...prompt, breakpoint: null }));
  return {
    model,
    segments,
    audioInputTokens: 0,
    outputCap: has(body, 'max_tokens') ? (countAt(body, 'max_tokens') ?? 0) : DEFAULT_CAP,
    choices: each * prompts.length,
    generated: best * prompts.length,
    stream: flagAt(body, 'stream'),
    includeUsage: flagAt(body['stream_options'], 'include_usage'),
    tools: [],
    toolChoice: { mode: 'none', name: null },
    lastUserText: '',
    toolResult: null,
    jsonSchema: undefined,
    reasoning: 'none',
    audioOutput: false,
    caching: 'prefix',
  };
};

const headOf = ({ ask, reply }: Rendering): JsonObject => ({
  id: `cmpl-${reply.id.slice(0, 29)}`,
  object: 'text_completion',
  created: reply.created,
  model: answeredName(ask.model),
});

const renderAnswer = (rendering: Rendering): JsonObject => ({
  ...headOf(rendering),
  choices: rendering.reply.choices.map(({ pieces, finish }, index) => ({
    text: pieces.join(''),
    index,
    logprobs: null,
    finish_reason: finish,
  })),
  ...usageField('usage', openAiUsage(rendering.reply.usage), rendering.behaviour.usage),
});

function* renderStream(rendering: Rendering): Iterable<StreamPart> {
  const { ask, reply, behaviour } = rendering;
  const head = headOf(rendering);
  const none = ask.includeUsage ? { usage: null } : {};
  const chunk = (index: number, text: string, finish: string | null): JsonObject => ({
    ...head,
    choices: [{ text, index, logprobs: null, finish_reason: finish }],
    ...none,
  });
  for (const [index, choice] of reply.choices.entries()) {
    for (const { text, tokens } of group(choice.pieces, behaviour.chunkTokens ?? DEFAULT_CHUNK_TOKENS)) {
      yield { phase: 'content', data: chunk(index, text, null), tokens };
    }
    yield { phase: 'close', data: chunk(index, '', choice.finish), tokens: 0 };
  }
  if (ask.includeUsage) {
    for (const usage of usageFrames('usage', openAiUsage(reply.usage), behaviour.usage)) {
      yield { phase: 'close', data: { ...head, choices: [], ...usage }, tokens: 0 };
    }
  }
  yield { phase: 'close', data: '[DONE]', tokens: 0 };
}

export const openAiCompletions: WireFormat = {
  readAsk,
  renderAnswer,
  renderStream,
  errors: openAiErrors,
  isIndented: true,
  lineEnding: '\n',
};
