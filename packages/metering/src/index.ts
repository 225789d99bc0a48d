export {
  LARGEST_CONTEXT_WINDOW,
  NFKC_WORST_FACTOR,
  TOKENS_FOR_TOOLS,
  TOKENS_PER_CALL,
  TOKENS_PER_MESSAGE,
  bound,
} from './bound.ts';
export type { Bound, BoundInput } from './bound.ts';
export { charge, unpricedUnits } from './charge.ts';
export type { ChargeOptions } from './charge.ts';
export { BYTES_PER_TOKEN, estimateAbandoned, estimateMissing } from './estimate.ts';
export type { EstimateInput } from './estimate.ts';
export { imageTokens } from './image-bound.ts';
export type { ImageSize } from './image-bound.ts';
export * from './money.ts';
export { nfkcBytes } from './nfkc-bytes.ts';
export { overrideRow, statedRow } from './override.ts';
export type { OverrideTarget, PriceOverride } from './override.ts';
export * from './price.ts';
export { PRIORITY_PERMILLE, dearestRates, tierFor, tierPermille } from './rates.ts';
export type { DearestRates, RateNeeds } from './rates.ts';
export { mayReasonUnseen } from './unseen-reasoning.ts';
export * from './usage.ts';
