/** Model names by pattern: exact, or with `*` for any run of characters. No regular expressions, so no pattern is slow. */

export type ModelMatcher = (model: string) => boolean;

/**
 * True for any of the patterns; for every model where there are none.
 *
 * @example
 * makeModelMatcher(['gpt-4o*', 'o3'])('gpt-4o-mini') // true
 */
export const makeModelMatcher = (patterns: readonly string[]): ModelMatcher => {
  if (patterns.length === 0) return () => true;
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const globs = patterns.filter((pattern) => pattern.includes('*')).map(makeGlob);
  return (model) => exact.has(model) || globs.some((matches) => matches(model));
};

/** Taking each inner part at its first place is enough: what lies between parts is free, so no choice is ever taken back. */
const makeGlob = (pattern: string): ModelMatcher => {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop() ?? '';
  const inner = rest.filter((part) => part !== '');
  return (model) => {
    const end = model.length - tail.length;
    if (end < head.length || !model.startsWith(head) || !model.endsWith(tail)) return false;
    let from = head.length;
    for (const part of inner) {
      const at = model.indexOf(part, from);
      if (at === -1 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
};
