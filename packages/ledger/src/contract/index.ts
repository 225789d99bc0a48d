export { contractTerms, contractWindow, type ContractLimit } from './contract-terms.ts';
export { tallyWith } from './contract-tallies.ts';
export {
  ledgerContract,
  type ContractTally,
  type LedgerHarness,
  type Spent,
  type SuiteSize,
  type SuiteTools,
} from './ledger-contract.ts';
export { makeMemoryWorld, makeSharedMemoryWorld, type PoolWorld } from './pool-world.ts';
export { makeMemoryHarness, START } from './memory-harness.ts';
