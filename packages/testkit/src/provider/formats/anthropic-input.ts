/** Reads an Anthropic prompt as blocks in caching order (tools, system, messages), with their cache breakpoints. */
import type { Segment } from '../ask.ts';
import { isObject, listAt, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { anthropicImageTokens, countText, MESSAGE_TOKENS, pngSize } from '../token-count.ts';
import { toolSegments } from './openai-input.ts';

export const readSegments = (body: JsonObject): Segment[] => {
  const tools = listAt(body, 'tools');
  const segments = toolSegments(tools).map((segment, index) => ({
    ...segment,
    breakpoint: breakpointOf(tools[index]),
  }));
  segments.push(...blocksOf(body['system'], 0));
  for (const message of listAt(body, 'messages'))
    segments.push(...blocksOf(Object(message)['content'], MESSAGE_TOKENS));
  const last = segments.at(-1);
  // A top-level cache_control stands for one on the last block.
  if (last !== undefined && isObject(body['cache_control']))
    segments.splice(-1, 1, { ...last, breakpoint: breakpointOf(body) });
  return segments;
};

export const blockText = (content: unknown): string => {
  if (typeof content === 'string') return content;
  return (Array.isArray(content) ? content : []).map((block) => textAt(block, 'text') ?? '').join('');
};

const blocksOf = (content: unknown, extra: number): Segment[] => {
  if (typeof content === 'string') return [{ text: content, tokens: countText(content) + extra, breakpoint: null }];
  return (Array.isArray(content) ? content : []).map((block: unknown, index) => {
    const text = textOf(block);
    const picture = textAt(block, 'type') === 'image' ? textAt(objectAt(block, 'source'), 'data') : null;
    const isRemote = textAt(block, 'type') === 'image' && picture === null;
    const image = picture !== null || isRemote ? anthropicImageTokens(pngSize(picture ?? '')) : 0;
    return { text, tokens: countText(text) + image + (index === 0 ? extra : 0), breakpoint: breakpointOf(block) };
  });
};

const textOf = (block: unknown): string => {
  const said = textAt(block, 'text') ?? textAt(block, 'thinking') ?? '';
  const input = isObject(block) && isObject(block['input']) ? JSON.stringify(block['input'], oneDigit) : '';
  return said + input + (isObject(block) && block['content'] !== undefined ? blockText(block['content']) : '');
};

const oneDigit = (_key: string, value: unknown): unknown => (typeof value === 'number' ? 0 : value);

const breakpointOf = (block: unknown): Segment['breakpoint'] => {
  const control = objectAt(block, 'cache_control');
  if (textAt(control, 'type') !== 'ephemeral') return null;
  return textAt(control, 'ttl') === '1h' ? '1h' : '5m';
};
