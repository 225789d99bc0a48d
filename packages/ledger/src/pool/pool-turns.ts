import { LedgerUnavailable } from '../lease-port.ts';

/** Each turn something changed under us; a pool that changes this often does not answer. */
export const MOST_TURNS = 200;

export const changedTooFast = (): LedgerUnavailable =>
  new LedgerUnavailable('the pool changed faster than it could be asked');
