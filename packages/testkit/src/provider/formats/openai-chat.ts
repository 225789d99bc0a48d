/** OpenAI chat completions: https://platform.openai.com/docs/api-reference/chat */
import { askFault } from '../ask.ts';
import type { Ask, AskFault, Segment } from '../ask.ts';
import { countAt, flagAt, has, listAt, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { answeredName, reasonsByItself } from '../model-names.ts';
import { group } from '../pieces.ts';
import type { Choice } from '../reply.ts';
import { usageField, usageFrames } from '../reported-usage.ts';
import { countText, MESSAGE_TOKENS } from '../token-count.ts';
import { DEFAULT_CHUNK_TOKENS } from '../wire-format.ts';
import type { IncomingCall, Rendering, StreamPart, WireFormat } from '../wire-format.ts';
import { openAiErrors } from './openai-errors.ts';
import { readParts, readToolChoice, readTools, toolSegments } from './openai-input.ts';
import { openAiUsage } from './openai-usage.ts';

const MAX_CHOICES = 128;

const readAsk = ({ body, model }: IncomingCall): Ask | AskFault => {
  const messages = listAt(body, 'messages');
  if (messages.length === 0) return askFault("Missing required parameter: 'messages'.", 'messages');
  const choices = has(body, 'n') ? countAt(body, 'n') : 1;
  if (choices === null || choices < 1 || choices > MAX_CHOICES)
    return askFault(`Invalid 'n': expected 1 to ${MAX_CHOICES}.`, 'n');
  for (const cap of ['max_tokens', 'max_completion_tokens']) {
    if (has(body, cap) && (countAt(body, cap) ?? 0) < 1)
      return askFault(`Invalid '${cap}': expected a whole number of at least 1.`, cap);
  }

  const segments: Segment[] = toolSegments(listAt(body, 'tools'));
  let audioInputTokens = 0;
  let lastUserText = '';
  for (const message of messages) {
    const { text, imageTokens, audioTokens } = readParts(Object(message)['content'], model);
    const calls = listAt(message, 'tool_calls').map((call) => textAt(objectAt(call, 'function'), 'arguments') ?? '');
    const whole = [text, ...calls].join('');
    segments.push({ text: whole, tokens: countText(whole) + MESSAGE_TOKENS + imageTokens, breakpoint: null });
    audioInputTokens += audioTokens;
    if (textAt(message, 'role') === 'user') lastUserText = text;
  }
  const last = messages.at(-1);
  const isToolResult = textAt(last, 'role') === 'tool' || textAt(last, 'role') === 'function';
  const format = objectAt(body, 'response_format');
  const isStructured = textAt(format, 'type') === 'json_schema' || textAt(format, 'type') === 'json_object';
  return {
    model,
    segments,
    audioInputTokens,
    outputCap: countAt(body, 'max_completion_tokens') ?? countAt(body, 'max_tokens'),
    choices,
    generated: choices,
    stream: flagAt(body, 'stream'),
    includeUsage: flagAt(body['stream_options'], 'include_usage'),
    tools: readTools(body),
    toolChoice: readToolChoice(body),
    lastUserText,
    toolResult: isToolResult ? readParts(Object(last)['content'], model).text : null,
    jsonSchema: isStructured ? objectAt(objectAt(format, 'json_schema'), 'schema') : undefined,
    reasoning: reasonsByItself(model) && textAt(body, 'reasoning_effort') !== 'none' ? 'hidden' : 'none',
    audioOutput: listAt(body, 'modalities').includes('audio'),
    caching: 'prefix',
  };
};

const renderAnswer = ({ ask, reply, behaviour, dialect }: Rendering): JsonObject => ({
  id: `chatcmpl-${reply.id.slice(0, 29)}`,
  object: 'chat.completion',
  created: reply.created,
  model: answeredName(ask.model),
  choices: reply.choices.map((choice, index) => ({
    index,
    message: messageOf(choice, ask.audioOutput),
    logprobs: null,
    finish_reason: finishReason(choice),
    ...(dialect === 'azure' ? { content_filter_results: SAFE } : {}),
  })),
  ...usageField('usage', openAiUsage(reply.usage), behaviour.usage),
  ...(dialect === 'azure' ? { prompt_filter_results: PROMPT_FILTER } : { service_tier: 'default' }),
  system_fingerprint: FINGERPRINT,
});

function* renderStream({ ask, reply, behaviour, dialect }: Rendering): Iterable<StreamPart> {
  const head = {
    id: `chatcmpl-${reply.id.slice(0, 29)}`,
    object: 'chat.completion.chunk',
    created: reply.created,
    model: answeredName(ask.model),
    ...(dialect === 'azure' ? {} : { service_tier: 'default' }),
    system_fingerprint: FINGERPRINT,
  };
  // With include_usage every chunk but the last says `"usage": null`; without it no chunk says anything.
  const none = ask.includeUsage ? { usage: null } : {};
  const chunk = (index: number, delta: JsonObject, finish: string | null): JsonObject => ({
    ...head,
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
    ...none,
  });

  if (dialect === 'azure') {
    const asking = { ...head, id: '', created: 0, model: '', object: '', system_fingerprint: undefined };
    yield { phase: 'open', data: { ...asking, choices: [], prompt_filter_results: PROMPT_FILTER }, tokens: 0 };
  }
  if (behaviour.usage === 'early' && ask.includeUsage) {
    yield {
      phase: 'open',
      data: { ...head, choices: [], usage: openAiUsage({ ...reply.usage, output: 1 }) },
      tokens: 0,
    };
  }
  for (const [index, choice] of reply.choices.entries()) {
    yield {
      phase: 'open',
      data: chunk(index, openingDelta(choice), null),
      tokens: index === 0 ? reply.usage.reasoning : 0,
    };
  }
  const queues = reply.choices.map((choice) =>
    deltas(choice, ask.audioOutput, behaviour.chunkTokens ?? DEFAULT_CHUNK_TOKENS),
  );
  for (let step = 0; queues.some((queue) => step < queue.length); step += 1) {
    for (const [index, queue] of queues.entries()) {
      const next = queue[step];
      if (next !== undefined) yield { phase: 'content', data: chunk(index, next.delta, null), tokens: next.tokens };
    }
  }
  for (const [index, choice] of reply.choices.entries())
    yield { phase: 'close', data: chunk(index, {}, finishReason(choice)), tokens: 0 };
  if (ask.includeUsage) {
    for (const usage of usageFrames('usage', openAiUsage(reply.usage), behaviour.usage)) {
      yield { phase: 'close', data: { ...head, choices: [], ...usage }, tokens: 0 };
    }
  }
  yield { phase: 'close', data: '[DONE]', tokens: 0 };
}

const messageOf = (choice: Choice, audio: boolean): JsonObject => {
  const text = choice.pieces.join('');
  const base = { role: 'assistant', content: text, refusal: null, annotations: [] };
  if (choice.toolCall !== null) {
    const { id, name, argumentPieces } = choice.toolCall;
    return {
      ...base,
      content: null,
      tool_calls: [{ id: `call_${id}`, type: 'function', function: { name, arguments: argumentPieces.join('') } }],
    };
  }
  if (!audio) return base;
  return {
    ...base,
    content: null,
    audio: { id: 'audio_0', data: soundOf(text), expires_at: AUDIO_EXPIRES, transcript: text },
  };
};

const openingDelta = (choice: Choice): JsonObject => {
  if (choice.toolCall === null) return { role: 'assistant', content: '', refusal: null };
  const { id, name } = choice.toolCall;
  const call = { index: 0, id: `call_${id}`, type: 'function', function: { name, arguments: '' } };
  return { role: 'assistant', content: null, tool_calls: [call], refusal: null };
};

const deltas = (choice: Choice, audio: boolean, size: number): { delta: JsonObject; tokens: number }[] => {
  if (choice.toolCall !== null) {
    return group(choice.toolCall.argumentPieces, size).map(({ text, tokens }) => ({
      delta: { tool_calls: [{ index: 0, function: { arguments: text } }] },
      tokens,
    }));
  }
  return group(choice.pieces, size).map(({ text, tokens }) => ({
    delta: audio ? { audio: { id: 'audio_0', transcript: text, data: soundOf(text) } } : { content: text },
    tokens,
  }));
};

const finishReason = (choice: Choice): string => (choice.finish === 'tool_call' ? 'tool_calls' : choice.finish);

/** Not sound, only as long as some. */
const soundOf = (text: string): string => Buffer.from(text.repeat(4)).toString('base64');

const FINGERPRINT = 'fp_50cad350e4';
const AUDIO_EXPIRES = 1_767_229_200;
const SAFE = {
  hate: { filtered: false, severity: 'safe' },
  self_harm: { filtered: false, severity: 'safe' },
  sexual: { filtered: false, severity: 'safe' },
  violence: { filtered: false, severity: 'safe' },
};
const PROMPT_FILTER = [{ prompt_index: 0, content_filter_results: SAFE }];

export const openAiChat: WireFormat = {
  readAsk,
  renderAnswer,
  renderStream,
  errors: openAiErrors,
  isIndented: true,
  lineEnding: '\n',
};
