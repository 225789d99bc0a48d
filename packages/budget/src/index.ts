/** What budgets say of a call. Windows are behind `@tollgate/budget/window`: only the ledger's side needs zone rules. */
export { makeModelMatcher, type ModelMatcher } from './model-pattern.ts';
export { selectorMatches, targetsSubject, type LabelSelector, type TargetRef } from './selector.ts';
export { matchingLimits, type MatchedLimit } from './matching.ts';
export { mergePolicies, type MergedPolicy } from './policy.ts';
export { partitionOf } from './partition.ts';
export { defaultOutputCap, type OutputCapInput } from './output-cap.ts';
export { grantedLease, preferredLease, type LeaseWish, type PoolState } from './lease-size.ts';
export { OVERDRAFT_LIMIT, overdraftLimit } from './overdraft.ts';
export { blockSize, type BlockWish } from './block-size.ts';
export { SLIDING_BUCKETS, slidingTerms, type SlidingTerms } from './sliding.ts';
