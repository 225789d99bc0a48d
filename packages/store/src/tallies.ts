import type { CounterTally } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';

/**
 * Conservation, as the store sees it: allocated = in flight + settled + refunded + unresolved, where what is in flight is
 * pooled, leased or held. The sums over epochs are read too: they must be the counter's own.
 */
export interface StoredTally extends CounterTally {
  readonly seeded: bigint;
  /** Sums over `counter_epoch` and over the charges of events, to check the roll-ups against. */
  readonly byEpoch: Pick<CounterTally, 'allocated' | 'refunded' | 'settled' | 'unresolved'>;
  readonly charged: bigint;
}

export const tallies = async (tx: Transaction): Promise<readonly StoredTally[]> => {
  const rows = await tx.query<
    CounterTally & { seeded: bigint; ea: bigint; er: bigint; es: bigint; eu: bigint; charged: bigint }
  >(
    `SELECT c.budget, c.limit_name AS "limit", c.partition_value AS "partition", c.window_id AS "windowId",
            c.allocated, c.refunded, c.settled, c.unresolved, c.seeded,
            coalesce(sum(e.allocated), 0)::bigint AS ea, coalesce(sum(e.refunded), 0)::bigint AS er,
            coalesce(sum(e.settled), 0)::bigint AS es, coalesce(sum(e.unresolved), 0)::bigint AS eu,
            coalesce(r.charged, 0)::bigint AS charged
     FROM counter c
     LEFT JOIN counter_epoch e ON e.counter_id = c.id
     LEFT JOIN (SELECT counter_id, sum(amount) AS charged FROM event, unnest(counter_ids, counter_amount) AS u(counter_id, amount)
                GROUP BY counter_id) AS r ON r.counter_id = c.id
     GROUP BY c.id, r.charged ORDER BY c.id`,
  );
  return rows.map(({ ea, er, es, eu, ...row }) => ({
    ...row,
    byEpoch: { allocated: ea, refunded: er, settled: es, unresolved: eu },
  }));
};
