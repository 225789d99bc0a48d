/** Sums that must agree in the ledger at any moment, and what must be so once every epoch is closed. Each query finds breaches. */
import { asked } from './ledger-sql.ts';
import type { Rig } from '../rig/rig.ts';

interface Check {
  readonly what: string;
  readonly sql: string;
  /** Only when all is over, and the database has kept all that it had committed. */
  readonly atEnd?: boolean;
  /** Only while the database has kept all that it had committed. */
  readonly ofAll?: boolean;
}

const CHECKS: readonly Check[] = [
  {
    what: 'spent beyond the limit',
    // What a counter was seeded with was spent before its window, or the limit, was there.
    sql: `SELECT of, settled, unresolved, seeded, limit_max FROM of_counter
          WHERE settled + unresolved - seeded > greatest(0, limit_max - seeded)`,
  },
  {
    what: 'allocated beyond the limit',
    sql: `SELECT of, allocated, refunded, seeded, limit_max FROM of_counter
          WHERE allocated - refunded - seeded > greatest(0, limit_max - seeded)`,
  },
  {
    what: "a counter's sum and calls are not those of its events",
    sql: `SELECT of, settled, seeded, calls, r.* FROM of_counter
          LEFT JOIN (SELECT counter_id, sum(amount) AS charged, count(*) AS rows FROM charge GROUP BY counter_id) AS r
            ON r.counter_id = id
          WHERE settled - seeded <> coalesce(r.charged, 0) OR calls <> coalesce(r.rows, 0)`,
  },
  {
    what: "a counter's sums are not those of its epochs",
    sql: `SELECT of, allocated, refunded, settled, unresolved, e.* FROM of_counter
          LEFT JOIN (SELECT counter_id, sum(allocated) AS ea, sum(refunded) AS er, sum(settled) AS es, sum(unresolved) AS eu
                     FROM of_epoch GROUP BY counter_id) AS e ON e.counter_id = id
          WHERE (allocated, refunded, settled, unresolved)
                IS DISTINCT FROM (coalesce(ea, 0), coalesce(er, 0), coalesce(es, 0), coalesce(eu, 0))`,
  },
  {
    what: 'less was allocated in an epoch than its blocks are',
    sql: `SELECT e.counter_id, e.epoch, e.allocated, b.taken FROM of_epoch e
          JOIN (SELECT counter_id, epoch, sum(amount) AS taken FROM block GROUP BY counter_id, epoch) AS b
            USING (counter_id, epoch)
          WHERE e.allocated < b.taken`,
  },
  {
    what: 'more came back of an epoch, or was spent in it, than was allocated',
    ofAll: true,
    sql: `SELECT counter_id, epoch, allocated, refunded, settled, unresolved FROM of_epoch
          WHERE epoch <> '' AND allocated - refunded - settled - unresolved < 0`,
  },
  {
    what: 'a charge is above its hold',
    sql: `SELECT instance, counter_id, held, amount FROM charge WHERE epoch <> '' AND amount > held`,
  },
  {
    what: "an instance's charges are not those of its events",
    sql: `SELECT coalesce(i.instance, r.instance) AS instance, i.charged, r.charged AS rows FROM
            (SELECT instance, epoch, counter_id, charged FROM instance_charge) AS i
          FULL JOIN (SELECT instance, epoch, counter_id, sum(amount) AS charged FROM charge WHERE epoch <> ''
                     GROUP BY 1, 2, 3) AS r USING (instance, epoch, counter_id)
          WHERE i.charged IS DISTINCT FROM r.charged`,
  },
  {
    what: 'the days of the usage report do not add up to the events',
    sql: `SELECT * FROM (SELECT sum(charged) AS charged, coalesce(sum(calls), 0) AS calls, sum(input_tokens) AS input,
                                sum(output_tokens) AS output FROM of_usage) AS d,
            (SELECT sum(charged) AS of_rows, count(*) AS rows, sum(input_tokens) AS input_rows,
                    sum(output_tokens) AS output_rows FROM row) AS r
          WHERE (d.charged, d.calls, d.input, d.output) IS DISTINCT FROM (of_rows, rows, input_rows, output_rows)`,
  },
  {
    what: "the slots of a counter's usage do not add up to it",
    sql: `SELECT of, settled, seeded, u.charged FROM of_counter
          JOIN (SELECT counter_id, sum(charged) AS charged FROM of_slot GROUP BY counter_id) AS u ON u.counter_id = id
          WHERE u.charged <> settled - seeded`,
  },
  {
    what: 'an epoch is not closed though everyone has left it',
    sql: `SELECT id, state FROM epoch e WHERE state <> 'closed' AND EXISTS (SELECT 1 FROM of_epoch WHERE epoch = e.id)`,
    atEnd: true,
  },
  {
    what: 'an instance has not left an epoch',
    sql: `SELECT epoch, instance FROM epoch_instance WHERE closed_at IS NULL`,
    atEnd: true,
  },
  {
    what: 'allocated is not settled + refunded + unresolved',
    sql: `SELECT of, allocated, refunded, settled, unresolved FROM of_counter
          WHERE allocated <> refunded + settled + unresolved`,
    atEnd: true,
  },
];

const MOST_SHOWN = 3;

export interface Moment {
  readonly isEnd: boolean;
  /** The database has lost what it had committed. */
  readonly hasLost: boolean;
}

export const checkSums = async (
  { postgres, database }: Rig,
  { isEnd, hasLost }: Moment,
): Promise<readonly string[]> => {
  const faults: string[] = [];
  for (const { what, sql, atEnd = false, ofAll = atEnd } of CHECKS) {
    if ((atEnd && !isEnd) || (ofAll && hasLost)) continue;
    const breaches = await postgres.query<object>(database, asked(sql));
    if (breaches.length > 0)
      faults.push(`${what}: ${String(breaches.length)} (${JSON.stringify(breaches.slice(0, MOST_SHOWN))})`);
  }
  return faults;
};
