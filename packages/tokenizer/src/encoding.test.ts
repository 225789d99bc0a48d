import { describe, expect, it } from '@jest/globals';
import { encodingOf } from '@tollgate/tokenizer';

describe('the encoding of a model', () => {
  it.each([
    ['gpt-4o-mini-2024-07-18', 'o200k_base'],
    ['gpt-5.5', 'o200k_base'],
    ['o3-mini', 'o200k_base'],
    ['ft:gpt-4o-2024-08-06:acme::abc', 'o200k_base'],
    ['gpt-4-0613', 'cl100k_base'],
    ['gpt-3.5-turbo', 'cl100k_base'],
    ['text-embedding-3-large', 'cl100k_base'],
  ])('%s reads with %s', (model, encoding) => {
    expect(encodingOf(model)).toBe(encoding);
  });

  it.each(['gpt-40', 'o11', 'gpt-6-sol', 'gpt-oss-120b', 'claude-opus-5', 'gemini-3-pro-preview', 'llama3', ''])(
    '%j has no public tokenizer here',
    (model) => {
      expect(encodingOf(model)).toBeNull();
    },
  );
});
