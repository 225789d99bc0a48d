import type { Transaction } from './connection.ts';

/** The partitions of events, one a month (UTC, of the ledger's clock): made ahead of need, dropped when old. */
export const monthOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 7)}-01`;

/** Does nothing where the month is there. Stops no batch: the new tables are attached to their parents. */
export const makeMonth = async (tx: Transaction, month: string): Promise<void> => {
  await tx.query('SELECT make_event_month($1::date)', [month]);
};

export interface OldMonths {
  /** Milliseconds UTC: months that ended before it are old. */
  readonly before: number;
  /** `detach` leaves the tables, under their names, for an archive to take; `drop` frees their room at once. */
  readonly then: 'drop' | 'detach';
}

/**
 * Takes old months of events away. Counters, roll-ups and what tells a resend apart lie elsewhere and stay as they are;
 * `explain` knows those calls no longer, and a limit defined later cannot be seeded from them. Returns the months.
 */
export const removeMonths = async (tx: Transaction, { before, then }: OldMonths): Promise<readonly string[]> => {
  const tables = await tx.query<{ parent: string; child: string; month: string }>(
    `SELECT p.relname AS parent, c.relname AS child,
            substring(pg_get_expr(c.relpartbound, c.oid) FROM '\\d{4}-\\d{2}-\\d{2}') AS month
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
     WHERE i.inhparent IN ('event'::regclass, 'event_common'::regclass) ORDER BY month, parent`,
  );
  const present = monthOf(before);
  const old = tables.filter(({ month }) => month < present);
  for (const { parent, child } of old) await tx.query('SELECT remove_event_month($1, $2, $3)', [parent, child, then]);
  return [...new Set(old.map(({ month }) => month.slice(0, 7)))];
};
