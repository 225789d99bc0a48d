export { decideBlock, type BlockDecision, type BlockQuestion } from './block-decision.ts';
export type {
  BlockAnswer,
  BlockRequest,
  BlockSource,
  ChargedInEpoch,
  CounterTerms,
  JoinAnswer,
  PoolReturn,
  ResolveCounter,
} from './block-source.ts';
export { LedgerRequestError, type LedgerRequestCode } from './ledger-request-error.ts';
export { makeMemoryBlockSource, type MemoryBlockSource } from './memory-block-source.ts';
export { makeMemoryPool, type MemoryPoolDeps } from './memory-pool.ts';
export type { Pool, PoolBalance, PoolCharge } from './pool.ts';
export { largestSlidingSum, type Bucket } from './sliding-sum.ts';
export { outOf, type CounterTally } from './tally.ts';
