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
export { makeMemoryWorld, makeSharedMemoryWorld, type PoolWorld, type SharedWorld } from './pool-world.ts';
export { sharedPoolContract } from './shared-pool-contract.ts';
export { checkAgreement, type AgreementOptions } from './agreement.ts';
export {
  memorySource,
  playSourceScript,
  SOURCE_BEGINNING,
  SOURCE_SCRIPT,
  type SourceStep,
  type SourceUnderTest,
} from './source-script.ts';
export { makeMemoryHarness, START } from './memory-harness.ts';
