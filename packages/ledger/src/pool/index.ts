export { decideBlock, type BlockDecision, type BlockQuestion } from './block-decision.ts';
export { takeNext, type BlockTaking } from './block-taking.ts';
export type {
  Block,
  BlockAnswer,
  BlockRequest,
  BlockSource,
  ChargedInEpoch,
  CounterTerms,
  JoinAnswer,
  PoolReturn,
  ResolveCounter,
  UnloadedBlock,
} from './block-source.ts';
export { LedgerRequestError, type LedgerRequestCode } from './ledger-request-error.ts';
export { makeMemoryBlockSource, type MemoryBlockSource } from './memory-block-source.ts';
export { makeLedgerClock, type LedgerClock } from './ledger-clock.ts';
export { makePool, type MakePoolDeps } from './make-pool.ts';
export {
  makeMemoryPoolState,
  type MemoryPoolState,
  type MemoryPoolStateDeps,
  type MemoryStateCopy,
} from './memory-pool-state.ts';
export { makeMemoryPool, type MemoryPoolDeps } from './memory-pool.ts';
export type { Pool, PoolBalance, PoolCharge } from './pool.ts';
export { counterKeyOf, parseCounterKey } from './counter-key.ts';
export {
  KEPT_AFTER_MS,
  REMEMBERED_SEQS,
  SERVER_ALIVE_MS,
  type AdmitAnswer,
  type CounterKey,
  type DrainAnswer,
  type DrainRequest,
  type Drained,
  type LeaseAnswer,
  type LeaseLine,
  type LeaseRequest,
  type LineBalance,
  type LoadRequest,
  type OpenAnswer,
  type PageAnswer,
  type PoolEpoch,
  type PoolState,
  type ReturnAnswer,
  type ReturnRequest,
  type StateBalance,
  type StateCharge,
  type StateGrant,
} from './pool-state.ts';
export { dialectOf, mayOpen, shouldUpgrade, type PoolProcess, type SharedEpochs } from './shared-epochs.ts';
export { largestSlidingSum, slidingRoomAt, type Bucket } from './sliding-sum.ts';
export { outOf, type CounterTally } from './tally.ts';
