/** The four ways to write an input of completions and embeddings: a text, texts, tokens, or lists of tokens. */
import { countText } from '../token-count.ts';

export interface Prompt {
  readonly text: string;
  readonly tokens: number;
}

export const readPrompts = (input: unknown): Prompt[] => {
  if (typeof input === 'string') return [fromText(input)];
  if (!Array.isArray(input)) return [];
  const list: readonly unknown[] = input;
  if (list.every((entry) => typeof entry === 'number')) return [fromTokens(list)];
  return list.map((entry) =>
    Array.isArray(entry) ? fromTokens(entry) : fromText(typeof entry === 'string' ? entry : ''),
  );
};

const fromText = (text: string): Prompt => ({ text, tokens: countText(text) });

const fromTokens = (tokens: readonly unknown[]): Prompt => ({ text: tokens.join(' '), tokens: tokens.length });
