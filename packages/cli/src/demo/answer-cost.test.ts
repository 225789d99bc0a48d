import { describe, expect, it } from '@jest/globals';
import { answerCost } from './answer-cost.ts';

describe('what a gate adds for an answer', () => {
  it('is what the price table says, cached tokens at their own rate', () => {
    const usage = { prompt_tokens: 1000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: 400 } };
    // $2.50, $1.25 and $10.00 a million.
    expect(answerCost('gpt-4o')(JSON.stringify({ usage }))).toBe(1_500_000n + 500_000n + 1_000_000n);
    expect(answerCost('gpt-4o')('{}')).toBe(0n);
  });

  it('is asked only of a model that has a price', () => {
    expect(() => answerCost('gpt-none')).toThrow('does not name openai/gpt-none');
  });
});
