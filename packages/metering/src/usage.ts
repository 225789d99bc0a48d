/**
 * What one attempt consumed, in disjoint kinds: a token is counted in exactly one of them, so that a sum over kinds
 * counts cached tokens once. `providers` turns each wire format's overlapping figures into this shape.
 */
export const TOKEN_KINDS = [
  'input',
  'cachedInput',
  'cacheWrite5m',
  'cacheWrite1h',
  'audioInput',
  'output',
  'reasoning',
  'audioOutput',
] as const;

export type TokenKind = (typeof TOKEN_KINDS)[number];

/** Things billed per piece rather than per token. `request` is a flat fee per call. */
export const UNIT_KINDS = ['request', 'webSearch'] as const;

export type UnitKind = (typeof UNIT_KINDS)[number];

/** Non-negative safe integers; a missing kind is zero. */
export type Usage = Readonly<Partial<Record<TokenKind | UnitKind, number>>>;

const INPUT_KINDS = ['input', 'cachedInput', 'cacheWrite5m', 'cacheWrite1h', 'audioInput'] as const;
const OUTPUT_KINDS = ['output', 'reasoning', 'audioOutput'] as const;

/** All tokens that were sent, however they were billed. */
export const inputTokens = (usage: Usage): number => sum(usage, INPUT_KINDS);

/** All tokens that came back, reasoning included. */
export const outputTokens = (usage: Usage): number => sum(usage, OUTPUT_KINDS);

export const totalTokens = (usage: Usage): number => inputTokens(usage) + outputTokens(usage);

const sum = (usage: Usage, kinds: readonly TokenKind[]): number => {
  let total = 0;
  for (const kind of kinds) total += usage[kind] ?? 0;
  return total;
};
