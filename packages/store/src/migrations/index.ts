import type { Migration } from '../migrate.ts';
import { ledger } from './0001-ledger.ts';

/** In the order they run. Append only: one that has run anywhere is never edited, its checksum is recorded. */
export const MIGRATIONS: readonly Migration[] = [ledger];
