import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeModelMatcher } from './model-pattern.ts';

describe('makeModelMatcher', () => {
  it.each([
    [['gpt-4o'], 'gpt-4o', true],
    [['gpt-4o'], 'gpt-4o-mini', false],
    [['gpt-4o*'], 'gpt-4o', true],
    [['gpt-4o*'], 'gpt-4o-mini', true],
    [['gpt-4o*'], 'chatgpt-4o', false],
    [['*-mini'], 'gpt-4o-mini', true],
    [['*-mini'], 'gpt-4o-mini-2024', false],
    [['claude-*-2024*'], 'claude-3-5-sonnet-20241022', true],
    [['*'], '', true],
    [['a*a'], 'a', false],
    [['a*a'], 'aa', true],
    [['a*b*b'], 'ab', false],
    [['**x**'], 'x', true],
    [['GPT-4o'], 'gpt-4o', false],
    [['gpt.4o'], 'gptx4o', false],
    [['o1', 'o3*'], 'o3-mini', true],
  ])('%j against %s: %s', (patterns, model, expected) => {
    expect(makeModelMatcher(patterns)(model)).toBe(expected);
  });

  it('takes every model where there are no patterns', () => {
    expect(makeModelMatcher([])('anything')).toBe(true);
  });

  it('agrees with a regular expression on all small words', () => {
    const word = (max: number, ...letters: string[]) =>
      fc.array(fc.constantFrom(...letters), { maxLength: max }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(word(6, 'a', 'b', '*'), word(8, 'a', 'b'), (pattern, model) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(model);
        expect([pattern, model, makeModelMatcher([pattern])(model)]).toEqual([pattern, model, expected]);
      }),
      { numRuns: 1000 },
    );
  });

  it('answers for a pattern that would hold a backtracking matcher for ages', () => {
    expect(makeModelMatcher([`${'a*'.repeat(64)}b`])('a'.repeat(100_000))).toBe(false);
  });
});
