import type { CounterTally } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';

/**
 * Conservation, as the store sees it: allocated = in flight + settled + refunded + unresolved, where what is in flight is
 * pooled, leased or held. The sums over epochs are read too: they must be the counter's own.
 */
export interface StoredTally extends CounterTally {
  readonly seeded: bigint;
  /** Sums over `counter_epoch` and over the charges of events that are kept, to check the roll-ups against. */
  readonly byEpoch: Pick<CounterTally, 'allocated' | 'refunded' | 'settled' | 'unresolved'>;
  readonly charged: bigint;
}

export const tallies = async (tx: Transaction): Promise<readonly StoredTally[]> => {
  const rows = await tx.query<
    CounterTally & { seeded: bigint; ea: bigint; er: bigint; es: bigint; eu: bigint; charged: bigint }
  >(
    `SELECT c.budget, c.limit_name AS "limit", c.partition_value AS "partition", c.window_id AS "windowId",
            (c.allocated + d.allocated)::bigint AS allocated, c.refunded, (c.settled + d.settled)::bigint AS settled,
            (c.unresolved + d.unresolved)::bigint AS unresolved, c.seeded,
            (coalesce(e.allocated, 0) + d.allocated)::bigint AS ea, coalesce(e.refunded, 0)::bigint AS er,
            (coalesce(e.settled, 0) + d.settled)::bigint AS es, (coalesce(e.unresolved, 0) + d.unresolved)::bigint AS eu,
            coalesce(r.charged, 0)::bigint AS charged
     FROM counter c
     LEFT JOIN (SELECT counter_id, sum(allocated) AS allocated, sum(refunded) AS refunded, sum(settled) AS settled,
                       sum(unresolved) AS unresolved FROM counter_epoch GROUP BY counter_id) AS e ON e.counter_id = c.id
     LEFT JOIN LATERAL (SELECT coalesce(sum(allocated), 0) AS allocated, coalesce(sum(charged), 0) AS settled,
                               coalesce(sum(unresolved), 0) AS unresolved FROM charge_delta WHERE counter_id = c.id) AS d ON true
     LEFT JOIN (SELECT u.counter_id, sum(u.amount) AS charged
                FROM event v JOIN event_common k ON k.month = v.month AND k.id = v.common,
                     unnest(k.counter_ids, v.counter_amount) AS u(counter_id, amount)
                GROUP BY u.counter_id) AS r ON r.counter_id = c.id
     ORDER BY c.id`,
  );
  return rows.map(({ ea, er, es, eu, ...row }) => ({
    ...row,
    byEpoch: { allocated: ea, refunded: er, settled: es, unresolved: eu },
  }));
};
