/** Gemini generateContent and streamGenerateContent: https://ai.google.dev/api/generate-content */
import { askFault } from '../ask.ts';
import type { Ask, AskFault, Segment } from '../ask.ts';
import { countAt, has, isObject, listAt, objectAt, parseObject, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { allInput } from '../mock-usage.ts';
import type { MockUsage } from '../mock-usage.ts';
import { reasonsByItself } from '../model-names.ts';
import { group } from '../pieces.ts';
import type { Choice } from '../reply.ts';
import { usageField, usageFrames } from '../reported-usage.ts';
import { countText, geminiImageTokens, MESSAGE_TOKENS, pngSize } from '../token-count.ts';
import type { IncomingCall, Rendering, StreamPart, WireFormat } from '../wire-format.ts';
import { geminiErrors } from './gemini-errors.ts';
import { toolSegments } from './openai-input.ts';

/** Gemini sends few, large chunks. */
const GEMINI_CHUNK_TOKENS = 16;
const MAX_CANDIDATES = 8;

const readAsk = ({ body, model, streamFromPath }: IncomingCall): Ask | AskFault => {
  const contents = listAt(body, 'contents');
  if (contents.length === 0) return askFault('* GenerateContentRequest.contents: contents is not specified');
  const config = either(body, 'generationConfig', 'generation_config');
  const cap = config['maxOutputTokens'] ?? config['max_output_tokens'];
  const choices = countAt(config, 'candidateCount') ?? 1;
  if (choices < 1 || choices > MAX_CANDIDATES)
    return askFault('* GenerateContentRequest.generation_config.candidate_count: must be 1 to 8');
  const declarations = listAt(body, 'tools').flatMap((tool) => listAt(tool, 'functionDeclarations'));
  const system = either(body, 'systemInstruction', 'system_instruction');
  const last = contents.at(-1);
  const results = listAt(last, 'parts').filter((part) => has(part, 'functionResponse'));
  const thinkingOff = countAt(objectAt(config, 'thinkingConfig'), 'thinkingBudget') === 0;
  return {
    model,
    segments: [
      ...toolSegments(declarations),
      ...(has(system, 'parts') ? [readContent(system)] : []),
      ...contents.map(readContent),
    ],
    audioInputTokens: 0,
    outputCap: typeof cap === 'number' && cap > 0 ? cap : null,
    choices,
    generated: choices,
    stream: streamFromPath,
    includeUsage: true,
    tools: declarations.flatMap((declaration) => {
      const name = textAt(declaration, 'name');
      const schema = isObject(declaration)
        ? (declaration['parametersJsonSchema'] ?? declaration['parameters'])
        : undefined;
      return name === null ? [] : [{ name, parameters: schema }];
    }),
    toolChoice: readToolChoice(objectAt(objectAt(body, 'toolConfig'), 'functionCallingConfig')),
    lastUserText: textAt(last, 'role') === 'model' ? '' : partsText(last),
    toolResult:
      results.length === 0
        ? null
        : JSON.stringify(results.map((part) => objectAt(objectAt(part, 'functionResponse'), 'response'))),
    jsonSchema: config['responseJsonSchema'] ?? config['responseSchema'] ?? undefined,
    reasoning: reasonsByItself(model) && !thinkingOff ? 'hidden' : 'none',
    audioOutput: false,
    caching: 'prefix',
  };
};

const readToolChoice = (config: JsonObject): Ask['toolChoice'] => {
  const mode = textAt(config, 'mode');
  const name = listAt(config, 'allowedFunctionNames')[0];
  if (mode === 'NONE') return { mode: 'none', name: null };
  return { mode: mode === 'ANY' ? 'required' : 'auto', name: typeof name === 'string' ? name : null };
};

const readContent = (content: unknown): Segment => {
  const text = partsText(content);
  let images = 0;
  for (const part of listAt(content, 'parts')) {
    const inline = either(part, 'inlineData', 'inline_data');
    if (has(inline, 'data')) images += geminiImageTokens(pngSize(textAt(inline, 'data') ?? ''));
    if (has(part, 'fileData')) images += 258;
  }
  return { text, tokens: countText(text) + MESSAGE_TOKENS + images, breakpoint: null };
};

const partsText = (content: unknown): string =>
  listAt(content, 'parts')
    .map((part) => {
      const written = textAt(part, 'text') ?? '';
      const call = objectAt(part, 'functionCall')['args'] ?? objectAt(part, 'functionResponse')['response'];
      return call === undefined
        ? written
        : written + JSON.stringify(call, (_key, value: unknown) => (typeof value === 'number' ? 0 : value));
    })
    .join('');

/** Google's JSON takes both spellings of a field. */
const either = (value: unknown, camel: string, snake: string): JsonObject =>
  has(value, camel) ? objectAt(value, camel) : objectAt(value, snake);

const tailOf = ({ ask, reply }: Rendering): JsonObject => ({
  modelVersion: ask.model,
  responseId: reply.id.slice(0, 22),
});

const renderAnswer = (rendering: Rendering): JsonObject => ({
  candidates: rendering.reply.choices.map((choice, index) => ({
    content: { parts: [partOf(choice, choice.pieces.join(''))], role: 'model' },
    finishReason: finishReason(choice),
    index,
  })),
  ...usageField('usageMetadata', geminiUsage(rendering.reply.usage), rendering.behaviour.usage),
  ...tailOf(rendering),
});

function* renderStream(rendering: Rendering): Iterable<StreamPart> {
  const { reply, behaviour } = rendering;
  const tail = tailOf(rendering);
  const size = behaviour.chunkTokens ?? GEMINI_CHUNK_TOKENS;
  let spoken = 0;
  let thoughtTokens = reply.usage.reasoning;
  for (const [index, choice] of reply.choices.entries()) {
    const isLastChoice = index === reply.choices.length - 1;
    const groups =
      choice.toolCall === null
        ? group(choice.pieces, size)
        : [{ text: '', tokens: choice.toolCall.argumentPieces.length }];
    for (const [step, { text, tokens }] of (groups.length === 0 ? [{ text: '', tokens: 0 }] : groups).entries()) {
      const isLast = step >= groups.length - 1;
      spoken += tokens;
      const candidate = {
        content: { parts: [partOf(choice, text)], role: 'model' },
        ...(isLast ? { finishReason: finishReason(choice) } : {}),
        index,
      };
      const delivered = tokens + thoughtTokens;
      thoughtTokens = 0;
      // Every chunk reports what was used so far; the last one counts.
      if (!isLast || !isLastChoice) {
        const running = { ...reply.usage, output: Math.min(spoken, reply.usage.output) };
        yield {
          phase: 'content',
          data: {
            candidates: [candidate],
            ...usageField('usageMetadata', geminiUsage(running), behaviour.usage),
            ...tail,
          },
          tokens: delivered,
        };
        continue;
      }
      const frames = usageFrames('usageMetadata', geminiUsage(reply.usage), behaviour.usage);
      yield { phase: 'close', data: { candidates: [candidate], ...(frames[0] ?? {}), ...tail }, tokens: delivered };
      for (const frame of frames.slice(1)) yield { phase: 'close', data: { ...frame, ...tail }, tokens: 0 };
    }
  }
}

const partOf = (choice: Choice, text: string): JsonObject => {
  if (choice.toolCall === null) return { text };
  const { name, argumentPieces } = choice.toolCall;
  return { functionCall: { name, args: parseObject(argumentPieces.join('')) ?? {} } };
};

const finishReason = (choice: Choice): string => (choice.finish === 'length' ? 'MAX_TOKENS' : 'STOP');

/** Thoughts come on top of the candidates; a cached prefix is part of the prompt. */
const geminiUsage = (usage: MockUsage): JsonObject => ({
  promptTokenCount: allInput(usage),
  ...(usage.cachedInput > 0
    ? {
        cachedContentTokenCount: usage.cachedInput,
        cacheTokensDetails: [{ modality: 'TEXT', tokenCount: usage.cachedInput }],
      }
    : {}),
  candidatesTokenCount: usage.output,
  totalTokenCount: allInput(usage) + usage.output + usage.reasoning,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: allInput(usage) }],
  ...(usage.reasoning > 0 ? { thoughtsTokenCount: usage.reasoning } : {}),
});

export const geminiGenerate: WireFormat = {
  readAsk,
  renderAnswer,
  renderStream,
  errors: geminiErrors,
  isIndented: true,
  lineEnding: '\r\n',
};
