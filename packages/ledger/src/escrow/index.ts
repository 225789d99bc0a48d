export { makeEscrow, type Escrow, type EscrowDeps, type EscrowStats } from './escrow.ts';
export { EscrowClosed } from './escrow-closed.ts';
export {
  type Denied,
  type Hold,
  type HoldNeed,
  type HoldRequest,
  type HoldResult,
  type Settlement,
  type SmallerBound,
  type Tighter,
} from './hold.ts';
export { type InHand } from './leases.ts';
export { type OverdraftTerms } from './overdrafts.ts';
export { type LedgerSession } from './shipper.ts';
export { type Timers } from './timers.ts';
export { type EventHead } from '../intent.ts';
