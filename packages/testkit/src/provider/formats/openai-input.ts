/** Reads what OpenAI's chat and responses formats share: content parts, tools, and the choice among them. */
import type { AskedTool, Segment } from '../ask.ts';
import { isObject, listAt, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { countText, openAiImageTokens, urlImageSize } from '../token-count.ts';

export interface PartsReading {
  readonly text: string;
  readonly imageTokens: number;
  readonly audioTokens: number;
}

/** Base64 characters of recorded sound in one token. */
const AUDIO_CHARACTERS_PER_TOKEN = 1000;

export const readParts = (content: unknown, model: string): PartsReading => {
  if (typeof content === 'string') return { text: content, imageTokens: 0, audioTokens: 0 };
  let text = '';
  let imageTokens = 0;
  let audioTokens = 0;
  for (const part of Array.isArray(content) ? content : []) {
    text += textAt(part, 'text') ?? textAt(part, 'refusal') ?? '';
    const image = imageOf(part);
    if (image !== null) imageTokens += openAiImageTokens(model, urlImageSize(image.url), image.detail);
    const sound = textAt(objectAt(part, 'input_audio'), 'data');
    if (sound !== null) audioTokens += Math.ceil(sound.length / AUDIO_CHARACTERS_PER_TOKEN);
  }
  return { text, imageTokens, audioTokens };
};

/** Tools are prompt text to a model. Numbers count as one digit, so that no way of writing one is dearer than its bytes. */
export const toolSegments = (tools: readonly unknown[]): Segment[] =>
  tools.map((tool) => {
    const text = JSON.stringify(tool, (_key, value: unknown) => (typeof value === 'number' ? 0 : value));
    return { text, tokens: countText(text), breakpoint: null };
  });

/** Chat nests a function's name and parameters, the responses format does not. */
export const readTools = (body: JsonObject): AskedTool[] =>
  listAt(body, 'tools').flatMap((tool) => {
    const described = isObject(tool) && isObject(tool['function']) ? tool['function'] : tool;
    const name = textAt(described, 'name');
    return name === null ? [] : [{ name, parameters: objectAt(described, 'parameters') }];
  });

export const readToolChoice = (body: JsonObject): { mode: 'auto' | 'none' | 'required'; name: string | null } => {
  const choice = body['tool_choice'];
  if (choice === 'none') return { mode: 'none', name: null };
  if (choice === 'required') return { mode: 'required', name: null };
  if (!isObject(choice)) return { mode: 'auto', name: null };
  return { mode: 'required', name: textAt(objectAt(choice, 'function'), 'name') ?? textAt(choice, 'name') };
};

const imageOf = (part: unknown): { url: string; detail: string | null } | null => {
  const nested = textAt(objectAt(part, 'image_url'), 'url');
  if (nested !== null) return { url: nested, detail: textAt(objectAt(part, 'image_url'), 'detail') };
  const flat = textAt(part, 'image_url');
  return flat === null ? null : { url: flat, detail: textAt(part, 'detail') };
};
