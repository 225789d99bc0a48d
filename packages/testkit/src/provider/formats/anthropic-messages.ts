/** Anthropic messages: https://docs.anthropic.com/en/api/messages and /messages-streaming */
import { askFault } from '../ask.ts';
import type { Ask, AskFault } from '../ask.ts';
import { countAt, flagAt, listAt, objectAt, parseObject, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { allOutput } from '../mock-usage.ts';
import type { MockUsage } from '../mock-usage.ts';
import { answeredName } from '../model-names.ts';
import { group } from '../pieces.ts';
import type { Choice, Reply } from '../reply.ts';
import { usageField, usageFrames } from '../reported-usage.ts';
import { DEFAULT_CHUNK_TOKENS } from '../wire-format.ts';
import type { IncomingCall, Rendering, StreamPart, WireFormat } from '../wire-format.ts';
import { anthropicErrors } from './anthropic-errors.ts';
import { blockText, readSegments } from './anthropic-input.ts';

const readAsk = ({ body, model }: IncomingCall): Ask | AskFault => {
  const messages = listAt(body, 'messages');
  if (messages.length === 0) return askFault('messages: at least one message is required', 'messages');
  const cap = countAt(body, 'max_tokens');
  if (cap === null || cap < 1) return askFault('max_tokens: Field required', 'max_tokens');
  const thinks = textAt(body['thinking'], 'type') === 'enabled' || textAt(body['thinking'], 'type') === 'adaptive';
  const last = messages.at(-1);
  const results = listAt(last, 'content').filter((block) => textAt(block, 'type') === 'tool_result');
  return {
    model,
    segments: readSegments(body),
    audioInputTokens: 0,
    outputCap: cap,
    choices: 1,
    generated: 1,
    stream: flagAt(body, 'stream'),
    includeUsage: true,
    tools: listAt(body, 'tools').flatMap((tool) => {
      const name = textAt(tool, 'name');
      return name === null ? [] : [{ name, parameters: objectAt(tool, 'input_schema') }];
    }),
    toolChoice: readToolChoice(objectAt(body, 'tool_choice')),
    lastUserText: textAt(last, 'role') === 'user' ? blockText(Object(last)['content']) : '',
    toolResult: results.length === 0 ? null : results.map((result) => blockText(Object(result)['content'])).join(' '),
    jsonSchema: undefined,
    reasoning: thinks ? 'visible' : 'none',
    audioOutput: false,
    caching: 'breakpoints',
  };
};

const readToolChoice = (choice: JsonObject): Ask['toolChoice'] => {
  const type = textAt(choice, 'type');
  if (type === 'none') return { mode: 'none', name: null };
  return type === 'any' || type === 'tool'
    ? { mode: 'required', name: textAt(choice, 'name') }
    : { mode: 'auto', name: null };
};

const renderAnswer = ({ ask, reply, behaviour }: Rendering): JsonObject => ({
  model: answeredName(ask.model),
  id: `msg_01${reply.id.slice(0, 22)}`,
  type: 'message',
  role: 'assistant',
  content: contentOf(reply),
  stop_reason: stopReason(reply.choices[0]),
  stop_sequence: null,
  ...usageField(
    'usage',
    { ...inputUsage(reply.usage), output_tokens: allOutput(reply.usage), service_tier: 'standard' },
    behaviour.usage,
  ),
});

function* renderStream({ ask, reply, behaviour }: Rendering): Iterable<StreamPart> {
  const size = behaviour.chunkTokens ?? DEFAULT_CHUNK_TOKENS;
  const choice = reply.choices[0];
  // `output_tokens` of message_start counts what was begun with, not what will have been used.
  const opening = { ...inputUsage(reply.usage), output_tokens: 1, service_tier: 'standard' };
  const message = {
    model: answeredName(ask.model),
    id: `msg_01${reply.id.slice(0, 22)}`,
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    ...usageField('usage', opening, behaviour.usage),
  };
  yield part('open', { type: 'message_start', message });

  let index = 0;
  if (reply.thoughts.length > 0) {
    yield part('open', {
      type: 'content_block_start',
      index,
      content_block: { type: 'thinking', thinking: '', signature: '' },
    });
    for (const { text, tokens } of group(reply.thoughts, size))
      yield delta(index, { type: 'thinking_delta', thinking: text }, tokens);
    yield delta(index, { type: 'signature_delta', signature: signatureOf(reply) }, 0);
    yield part('content', { type: 'content_block_stop', index });
    index += 1;
  }
  if (behaviour.usage === 'early')
    yield closing('end_turn', { usage: { ...inputUsage(reply.usage), output_tokens: 1 } });
  const call = choice?.toolCall ?? null;
  const block =
    call === null
      ? { type: 'text', text: '' }
      : { type: 'tool_use', id: `toolu_01${call.id.slice(0, 22)}`, name: call.name, input: {} };
  yield part('open', { type: 'content_block_start', index, content_block: block });
  yield part('open', { type: 'ping' });
  if (call !== null) yield delta(index, { type: 'input_json_delta', partial_json: '' }, 0);
  for (const { text, tokens } of group(call?.argumentPieces ?? choice?.pieces ?? [], size)) {
    yield delta(
      index,
      call === null ? { type: 'text_delta', text } : { type: 'input_json_delta', partial_json: text },
      tokens,
    );
  }
  yield part('close', { type: 'content_block_stop', index });
  const usage = { ...inputUsage(reply.usage), output_tokens: allOutput(reply.usage) };
  const frames = usageFrames('usage', usage, behaviour.usage);
  for (const frame of frames.length === 0 ? [{}] : frames) yield closing(stopReason(choice), frame);
  yield part('close', { type: 'message_stop' });
}

const contentOf = (reply: Reply): JsonObject[] => {
  const choice = reply.choices[0];
  const blocks: JsonObject[] = [];
  if (reply.thoughts.length > 0)
    blocks.push({ type: 'thinking', thinking: reply.thoughts.join(''), signature: signatureOf(reply) });
  if (choice === undefined) return blocks;
  if (choice.toolCall === null) return [...blocks, { type: 'text', text: choice.pieces.join('') }];
  const { id, name, argumentPieces } = choice.toolCall;
  return [
    ...blocks,
    { type: 'tool_use', id: `toolu_01${id.slice(0, 22)}`, name, input: parseObject(argumentPieces.join('')) ?? {} },
  ];
};

const inputUsage = (usage: MockUsage): JsonObject => ({
  input_tokens: usage.input,
  cache_creation_input_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
  cache_read_input_tokens: usage.cachedInput,
  cache_creation: { ephemeral_5m_input_tokens: usage.cacheWrite5m, ephemeral_1h_input_tokens: usage.cacheWrite1h },
});

const stopReason = (choice: Choice | undefined): string =>
  choice?.finish === 'tool_call' ? 'tool_use' : choice?.finish === 'length' ? 'max_tokens' : 'end_turn';

const closing = (reason: string, usage: JsonObject): StreamPart =>
  part('close', { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, ...usage });

const delta = (index: number, inner: JsonObject, tokens: number): StreamPart => ({
  ...part('content', { type: 'content_block_delta', index, delta: inner }),
  tokens,
});

const part = (phase: StreamPart['phase'], data: JsonObject): StreamPart => ({
  phase,
  event: textAt(data, 'type') ?? 'message',
  data,
  tokens: 0,
});

const signatureOf = (reply: Reply): string => Buffer.from(reply.id, 'hex').toString('base64');

export const anthropicMessages: WireFormat = {
  readAsk,
  renderAnswer,
  renderStream,
  errors: anthropicErrors,
  isIndented: false,
  lineEnding: '\n',
};
