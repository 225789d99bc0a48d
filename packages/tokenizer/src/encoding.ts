/** The public tokenizers that are at hand (js-tiktoken). */
export type EncodingName = 'o200k_base' | 'cl100k_base';

/**
 * By OpenAI's own map of models (openai/tiktoken, `model.py`, read 2026-11): families, the longer name first. A family
 * that is not listed has no public tokenizer here: Claude, Gemini, open models, and OpenAI models newer than the map.
 */
const FAMILIES: readonly (readonly [string, EncodingName])[] = [
  ['gpt-4o', 'o200k_base'],
  ['chatgpt-4o', 'o200k_base'],
  ['gpt-4.1', 'o200k_base'],
  ['gpt-4.5', 'o200k_base'],
  ['gpt-5', 'o200k_base'],
  ['o1', 'o200k_base'],
  ['o3', 'o200k_base'],
  ['o4-mini', 'o200k_base'],
  ['gpt-4', 'cl100k_base'],
  ['gpt-3.5-turbo', 'cl100k_base'],
  ['gpt-35-turbo', 'cl100k_base'],
  ['text-embedding-3-', 'cl100k_base'],
  ['text-embedding-ada-002', 'cl100k_base'],
];

/** Null = no public tokenizer. Fine-tunes (`ft:gpt-4o:…`) read as their base does. */
export const encodingOf = (model: string): EncodingName | null => {
  const name = model.startsWith('ft:') ? model.slice(3) : model;
  const family = FAMILIES.find(([prefix]) => name === prefix || (name.startsWith(prefix) && isBoundary(prefix, name)));
  return family?.[1] ?? null;
};

/** `gpt-4-0613`, `gpt-5.4`, `gpt-4o:extended` follow their family; `gpt-40` or `o11` are other models. */
const isBoundary = (prefix: string, name: string): boolean =>
  /[-]$/.test(prefix) || /[-.:@]/.test(name.charAt(prefix.length));
