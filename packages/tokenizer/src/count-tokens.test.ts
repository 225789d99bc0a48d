import { describe, expect, it } from '@jest/globals';
import { countTokens } from './count-tokens.ts';

describe('a count in this thread', () => {
  it('is the same the first time and the next', async () => {
    expect(await countTokens('cl100k_base', 'hello world')).toBe(2);
    expect(await countTokens('cl100k_base', 'hello world')).toBe(2);
  });

  it('has a worker module that does nothing outside a worker', async () => {
    await expect(import('./worker.ts')).resolves.toBeDefined();
  });
});
