/**
 * Where production code can be broken from outside, through what it is handed, to see that the oracle notices. Nothing in
 * it knows of this.
 */
import type { Escrow } from '../escrow/escrow.ts';
import type { Hold, Settlement } from '../escrow/hold.ts';
import type { LedgerEvent } from '../event.ts';
import type { LeasePort } from '../lease-port.ts';
import type { MemoryBlockSource } from '../pool/memory-block-source.ts';
import type { Weakened } from '../pool/memory-state-contents.ts';
import type { PoolCharge } from '../pool/pool.ts';
import type { Spool } from '../spool/spool.ts';
import type { PostgresClient } from './postgres.ts';

export interface Mutation {
  spool(spool: Spool): Spool;
  port(port: LeasePort): LeasePort;
  escrow(escrow: Escrow): Escrow;
  source(source: MemoryBlockSource): MemoryBlockSource;
  /** How a server brings a batch to Postgres. */
  commit(client: PostgresClient, batch: readonly LedgerEvent[]): Promise<readonly PoolCharge[]>;
  /** Defences that Redis's functions have given up. */
  readonly weakened: Weakened;
  settlement(settlement: Settlement): Settlement;
  afterSettle(hold: Hold, settlement: Settlement): void;
}

const asIs = <T>(value: T): T => value;

export const UNBROKEN: Mutation = {
  spool: asIs,
  port: asIs,
  escrow: asIs,
  source: asIs,
  commit: (client, batch) => client.commit(batch),
  weakened: {},
  settlement: asIs,
  afterSettle: () => undefined,
};
