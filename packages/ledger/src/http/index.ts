export { makeHttpLedger, type HttpLedger, type HttpLedgerDeps, type LedgerTimeouts } from './http-ledger.ts';
export { type SnapshotWatch } from './snapshot-watch.ts';
