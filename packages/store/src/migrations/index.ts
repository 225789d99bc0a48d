import type { Migration } from '../migrate.ts';
import { ledger } from './0001-ledger.ts';
import { chargesInTheRow } from './0002-charges-in-the-row.ts';
import { instancesThatAreOver } from './0003-instances-that-are-over.ts';
import { sharedPool } from './0004-shared-pool.ts';
import { unresolved } from './0005-unresolved.ts';
import { rollUpsByDelta } from './0006-roll-ups-by-delta.ts';
import { eventsByMonth } from './0007-events-by-month.ts';
import { limitsThatComeBack } from './0008-limits-that-come-back.ts';
import { cluster } from './0009-cluster.ts';
import { directConnections } from './0010-direct-connections.ts';
import { firstBytes } from './0011-first-bytes.ts';
import { gatewayCallers } from './0012-gateway-callers.ts';

/** In the order they run. Append only: one that has run anywhere is never edited, its checksum is recorded. */
export const MIGRATIONS: readonly Migration[] = [
  ledger,
  chargesInTheRow,
  instancesThatAreOver,
  sharedPool,
  unresolved,
  rollUpsByDelta,
  eventsByMonth,
  limitsThatComeBack,
  cluster,
  directConnections,
  firstBytes,
  gatewayCallers,
];
