import { describe, expect, it } from '@jest/globals';
import { parseNamespace } from './namespace-option.ts';

describe('the namespace of this machine', () => {
  it.each(['default', 'team-a', '0', 'a'.repeat(63)])('may be %s', (name) => {
    expect(parseNamespace(name)).toBe(name);
  });

  it.each(['', 'Bad_NS', '-a', 'a-', 'a.b', 'a'.repeat(64)])('may not be "%s"', (name) => {
    expect(() => parseNamespace(name)).toThrow('lower-case letters');
  });
});
