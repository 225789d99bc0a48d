/** OpenAI responses: https://platform.openai.com/docs/api-reference/responses and /responses-streaming */
import { askFault } from '../ask.ts';
import type { Ask, AskFault, Segment } from '../ask.ts';
import { countAt, flagAt, has, isObject, listAt, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { allInput, allOutput } from '../mock-usage.ts';
import type { MockUsage } from '../mock-usage.ts';
import { answeredName, reasonsByItself } from '../model-names.ts';
import { group } from '../pieces.ts';
import { usageField } from '../reported-usage.ts';
import { countText, MESSAGE_TOKENS } from '../token-count.ts';
import { DEFAULT_CHUNK_TOKENS } from '../wire-format.ts';
import type { IncomingCall, Rendering, StreamPart, WireFormat } from '../wire-format.ts';
import { openAiErrors } from './openai-errors.ts';
import { readParts, readToolChoice, readTools, toolSegments } from './openai-input.ts';

/** OpenAI refuses a smaller cap here. */
const MIN_CAP = 16;

const readAsk = ({ body, model, stored }: IncomingCall): Ask | AskFault => {
  const items = typeof body['input'] === 'string' ? [{ role: 'user', content: body['input'] }] : listAt(body, 'input');
  if (items.length === 0) return askFault("Missing required parameter: 'input'.", 'input');
  if (has(body, 'max_output_tokens') && (countAt(body, 'max_output_tokens') ?? 0) < MIN_CAP) {
    return askFault(
      `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= ${MIN_CAP}.`,
      'max_output_tokens',
    );
  }
  const segments: Segment[] = toolSegments(listAt(body, 'tools'));
  const earlier = textAt(body, 'previous_response_id');
  if (earlier !== null) {
    const tokens = stored(earlier);
    if (tokens === null) return askFault(`Previous response with id '${earlier}' not found.`, 'previous_response_id');
    segments.push({ text: earlier, tokens, breakpoint: null });
  }
  const instructions = textAt(body, 'instructions');
  if (instructions !== null)
    segments.push({ text: instructions, tokens: countText(instructions) + MESSAGE_TOKENS, breakpoint: null });
  let lastUserText = '';
  for (const item of items) {
    const { text, imageTokens } = readParts(Object(item)['content'], model);
    const whole = text + (textAt(item, 'arguments') ?? '') + (textAt(item, 'output') ?? '');
    segments.push({ text: whole, tokens: countText(whole) + MESSAGE_TOKENS + imageTokens, breakpoint: null });
    if (textAt(item, 'role') === 'user') lastUserText = text;
  }
  const last = items.at(-1);
  const format = objectAt(objectAt(body, 'text'), 'format');
  return {
    model,
    segments,
    audioInputTokens: 0,
    outputCap: countAt(body, 'max_output_tokens'),
    choices: 1,
    generated: 1,
    stream: flagAt(body, 'stream'),
    includeUsage: true,
    tools: readTools(body),
    toolChoice: readToolChoice(body),
    lastUserText,
    toolResult: textAt(last, 'type') === 'function_call_output' ? (textAt(last, 'output') ?? '') : null,
    jsonSchema: textAt(format, 'type') === 'json_schema' ? objectAt(format, 'schema') : undefined,
    reasoning: reasonsByItself(model) && textAt(objectAt(body, 'reasoning'), 'effort') !== 'none' ? 'hidden' : 'none',
    audioOutput: false,
    caching: 'prefix',
  };
};

export const responseId = (id: string): string => `resp_${id.slice(0, 48)}`;

const renderAnswer = (rendering: Rendering): JsonObject => {
  const { reply, behaviour } = rendering;
  const isCut = reply.choices[0]?.finish === 'length';
  return {
    ...envelope(
      rendering,
      isCut ? 'incomplete' : 'completed',
      outputItems(rendering, isCut ? 'incomplete' : 'completed'),
    ),
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    ...usageField('usage', usageOf(reply.usage), behaviour.usage),
  };
};

function* renderStream(rendering: Rendering): Iterable<StreamPart> {
  const { reply, behaviour } = rendering;
  let sequence = 0;
  const event = (phase: StreamPart['phase'], type: string, rest: JsonObject, tokens = 0): StreamPart => ({
    phase,
    event: type,
    data: { type, sequence_number: sequence++, ...rest },
    tokens,
  });
  const begun = envelope(rendering, 'in_progress', []);
  const early = behaviour.usage === 'early' ? { usage: usageOf({ ...reply.usage, output: 1 }) } : {};
  yield event('open', 'response.created', { response: { ...begun, ...early } });
  yield event('open', 'response.in_progress', { response: begun });

  const final = renderAnswer(rendering);
  for (const [index, item] of listAt(final, 'output').entries()) yield* itemEvents(rendering, item, index, event);
  const ending = final['status'] === 'incomplete' ? 'response.incomplete' : 'response.completed';
  if (behaviour.usage === 'twice') {
    yield event('close', 'response.in_progress', {
      response: { ...begun, usage: usageOf({ ...reply.usage, output: 1 }) },
    });
  }
  yield event('close', ending, { response: final });
}

type MakeEvent = (phase: StreamPart['phase'], type: string, rest: JsonObject, tokens?: number) => StreamPart;

function* itemEvents(
  { reply, behaviour }: Rendering,
  item: unknown,
  index: number,
  event: MakeEvent,
): Iterable<StreamPart> {
  if (!isObject(item)) return;
  const size = behaviour.chunkTokens ?? DEFAULT_CHUNK_TOKENS;
  const choice = reply.choices[0];
  const at = { item_id: textAt(item, 'id'), output_index: index };
  if (item['type'] === 'reasoning') {
    yield event('open', 'response.output_item.added', { output_index: index, item });
    return void (yield event(
      'open',
      'response.output_item.done',
      { output_index: index, item },
      reply.usage.reasoning,
    ));
  }
  if (item['type'] === 'function_call') {
    yield event('open', 'response.output_item.added', {
      output_index: index,
      item: { ...item, arguments: '', status: 'in_progress' },
    });
    for (const { text, tokens } of group(choice?.toolCall?.argumentPieces ?? [], size)) {
      yield event('content', 'response.function_call_arguments.delta', { ...at, delta: text }, tokens);
    }
    yield event('close', 'response.function_call_arguments.done', {
      ...at,
      name: item['name'],
      arguments: item['arguments'],
    });
  } else {
    const part = listAt(item, 'content')[0];
    const opening = isObject(part) ? { ...part, text: '' } : {};
    yield event('open', 'response.output_item.added', {
      output_index: index,
      item: { ...item, content: [], status: 'in_progress' },
    });
    yield event('open', 'response.content_part.added', { ...at, content_index: 0, part: opening });
    for (const { text, tokens } of group(choice?.pieces ?? [], size)) {
      yield event(
        'content',
        'response.output_text.delta',
        { ...at, content_index: 0, delta: text, logprobs: [] },
        tokens,
      );
    }
    yield event('close', 'response.output_text.done', {
      ...at,
      content_index: 0,
      text: textAt(part, 'text'),
      logprobs: [],
    });
    yield event('close', 'response.content_part.done', { ...at, content_index: 0, part });
  }
  yield event('close', 'response.output_item.done', { output_index: index, item });
}

const outputItems = ({ reply }: Rendering, status: string): JsonObject[] => {
  const choice = reply.choices[0];
  const items: JsonObject[] = [];
  if (reply.usage.reasoning > 0) items.push({ id: `rs_${reply.id.slice(0, 48)}`, type: 'reasoning', summary: [] });
  if (choice === undefined) return items;
  if (choice.toolCall !== null) {
    const { id, name, argumentPieces } = choice.toolCall;
    return [
      ...items,
      {
        id: `fc_${id}`,
        type: 'function_call',
        status,
        arguments: argumentPieces.join(''),
        call_id: `call_${id}`,
        name,
      },
    ];
  }
  const content = [{ type: 'output_text', annotations: [], logprobs: [], text: choice.pieces.join('') }];
  return [...items, { id: `msg_${reply.id.slice(0, 48)}`, type: 'message', status, content, role: 'assistant' }];
};

const envelope = ({ ask, reply, body }: Rendering, status: string, output: readonly JsonObject[]): JsonObject => ({
  id: responseId(reply.id),
  object: 'response',
  created_at: reply.created,
  status,
  background: false,
  error: null,
  incomplete_details: null,
  instructions: body['instructions'] ?? null,
  max_output_tokens: ask.outputCap,
  max_tool_calls: null,
  model: answeredName(ask.model),
  output,
  parallel_tool_calls: true,
  previous_response_id: body['previous_response_id'] ?? null,
  prompt_cache_key: null,
  reasoning: { effort: textAt(body['reasoning'], 'effort'), summary: null },
  safety_identifier: body['safety_identifier'] ?? null,
  service_tier: 'default',
  store: body['store'] ?? true,
  temperature: 1,
  text: { format: { type: 'text' }, verbosity: 'medium' },
  tool_choice: body['tool_choice'] ?? 'auto',
  tools: body['tools'] ?? [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  usage: null,
  user: body['user'] ?? null,
  metadata: body['metadata'] ?? {},
});

const usageOf = (usage: MockUsage): JsonObject => ({
  input_tokens: allInput(usage),
  input_tokens_details: { cached_tokens: usage.cachedInput },
  output_tokens: allOutput(usage),
  output_tokens_details: { reasoning_tokens: usage.reasoning },
  total_tokens: allInput(usage) + allOutput(usage),
});

export const openAiResponses: WireFormat = {
  readAsk,
  renderAnswer,
  renderStream,
  errors: openAiErrors,
  isIndented: true,
  lineEnding: '\n',
};
