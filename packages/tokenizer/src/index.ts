export { encodingOf } from './encoding.ts';
export type { EncodingName } from './encoding.ts';
export { makeTokenCounter } from './token-counter.ts';
export type { TokenCount, TokenCounter, TokenCounterOptions } from './token-counter.ts';
