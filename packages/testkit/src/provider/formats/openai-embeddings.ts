/** OpenAI embeddings: https://platform.openai.com/docs/api-reference/embeddings */
import { askFault } from '../ask.ts';
import type { Ask, AskFault } from '../ask.ts';
import { makeChance } from '../chance.ts';
import { countAt, has, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { answeredName } from '../model-names.ts';
import { allInput } from '../mock-usage.ts';
import { usageField } from '../reported-usage.ts';
import type { IncomingCall, Rendering, WireFormat } from '../wire-format.ts';
import { openAiErrors } from './openai-errors.ts';
import { readPrompts } from './openai-prompts.ts';

const DIMENSIONS = 1536;
const LARGE_DIMENSIONS = 3072;

const readAsk = ({ body, model }: IncomingCall): Ask | AskFault => {
  const inputs = has(body, 'input') ? readPrompts(body['input']) : [];
  if (inputs.length === 0) return askFault("Missing required parameter: 'input'.", 'input');
  return {
    model,
    segments: inputs.map((input) => ({ ...input, breakpoint: null })),
    audioInputTokens: 0,
    outputCap: 0,
    choices: 0,
    generated: 0,
    stream: false,
    includeUsage: true,
    tools: [],
    toolChoice: { mode: 'none', name: null },
    lastUserText: '',
    toolResult: null,
    jsonSchema: undefined,
    reasoning: 'none',
    audioOutput: false,
    caching: 'none',
  };
};

const renderAnswer = ({ ask, reply, behaviour, body }: Rendering): JsonObject => {
  const size = countAt(body, 'dimensions') ?? (ask.model.includes('large') ? LARGE_DIMENSIONS : DIMENSIONS);
  const tokens = allInput(reply.usage);
  return {
    object: 'list',
    data: ask.segments.map(({ text }, index) => {
      const vector = vectorOf(text, size);
      return {
        object: 'embedding',
        index,
        embedding: textAt(body, 'encoding_format') === 'base64' ? toBase64(vector) : vector,
      };
    }),
    model: answeredName(ask.model),
    ...usageField('usage', { prompt_tokens: tokens, total_tokens: tokens }, behaviour.usage),
  };
};

/** Thousandths between −1 and 1. */
const vectorOf = (text: string, size: number): number[] => {
  const chance = makeChance(text);
  return Array.from({ length: size }, () => (chance.next(2001) - 1000) / 1000);
};

const toBase64 = (vector: readonly number[]): string => {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
};

export const openAiEmbeddings: WireFormat = {
  readAsk,
  renderAnswer,
  renderStream: () => [],
  errors: openAiErrors,
  isIndented: true,
  lineEnding: '\n',
};
