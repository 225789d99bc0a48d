/** Sums that must agree in the ledger at any moment, and what must be so once every epoch is closed. Each query finds breaches. */
import type { Rig } from '../rig/rig.ts';

interface Check {
  readonly what: string;
  readonly sql: string;
  /** Only when all is over. */
  readonly atEnd?: boolean;
}

const NAME = `c.budget || '/' || c.limit_name || '/' || c.partition_value || '@' || c.window_id`;

const CHECKS: readonly Check[] = [
  {
    what: 'spent beyond the limit',
    // What a counter was seeded with was spent before its window, or the limit, was there.
    sql: `SELECT ${NAME} AS of, settled, unresolved, seeded, limit_max FROM counter c
          WHERE settled + unresolved - seeded > greatest(0, limit_max - seeded)`,
  },
  {
    what: 'allocated beyond the limit',
    sql: `SELECT ${NAME} AS of, allocated, refunded, seeded, limit_max FROM counter c
          WHERE allocated - refunded - seeded > greatest(0, limit_max - seeded)`,
  },
  {
    what: "a counter's settled sum is not that of its events",
    sql: `SELECT ${NAME} AS of, c.settled, c.seeded, coalesce(r.charged, 0) AS rows FROM counter c
          LEFT JOIN (SELECT counter_id, sum(amount) AS charged FROM event, unnest(counter_ids, counter_amount) AS u(counter_id, amount)
                     GROUP BY counter_id) AS r ON r.counter_id = c.id
          WHERE c.settled <> coalesce(r.charged, 0) + c.seeded`,
  },
  {
    what: "a counter's calls are not those of its events",
    sql: `SELECT ${NAME} AS of, c.calls, coalesce(r.calls, 0) AS rows FROM counter c
          LEFT JOIN (SELECT counter_id, count(*) AS calls FROM event, unnest(counter_ids) AS u(counter_id) GROUP BY counter_id) AS r
            ON r.counter_id = c.id
          WHERE c.calls <> coalesce(r.calls, 0)`,
  },
  {
    what: "a counter's sums are not those of its epochs",
    sql: `SELECT ${NAME} AS of, c.allocated, c.refunded, c.settled, c.unresolved, e.* FROM counter c
          LEFT JOIN (SELECT counter_id, sum(allocated) AS ea, sum(refunded) AS er, sum(settled) AS es, sum(unresolved) AS eu
                     FROM counter_epoch GROUP BY counter_id) AS e ON e.counter_id = c.id
          WHERE (c.allocated, c.refunded, c.settled - c.seeded, c.unresolved)
                IS DISTINCT FROM (coalesce(ea, 0), coalesce(er, 0), coalesce(es, 0) - c.seeded, coalesce(eu, 0))`,
  },
  {
    what: 'the blocks of an epoch are not what was allocated in it',
    sql: `SELECT e.counter_id, e.epoch, e.allocated, b.taken FROM counter_epoch e
          JOIN (SELECT counter_id, epoch, sum(amount) AS taken FROM block GROUP BY counter_id, epoch) AS b USING (counter_id, epoch)
          WHERE e.allocated < b.taken`,
  },
  {
    what: 'more came back of an epoch, or was spent in it, than was allocated',
    sql: `SELECT counter_id, epoch, allocated, refunded, settled, unresolved FROM counter_epoch
          WHERE epoch <> '' AND allocated - refunded - settled - unresolved < 0`,
  },
  {
    what: "an instance's charges are not those of its events",
    sql: `SELECT coalesce(i.instance, r.instance) AS instance, i.charged, r.charged AS rows FROM
            (SELECT instance, epoch, counter_id, charged FROM instance_charge) AS i
          FULL JOIN (SELECT instance, u.epoch, u.counter_id, sum(u.amount) AS charged
                     FROM event, unnest(counter_ids, counter_epochs, counter_amount) AS u(counter_id, epoch, amount)
                     WHERE u.epoch <> '' GROUP BY 1, 2, 3) AS r USING (instance, epoch, counter_id)
          WHERE i.charged IS DISTINCT FROM r.charged`,
  },
  {
    what: 'the days of the usage report do not add up to the events',
    sql: `SELECT d.*, r.* FROM (SELECT sum(charged) AS charged, coalesce(sum(calls), 0) AS calls, sum(input_tokens) AS input, sum(output_tokens) AS output
                                FROM usage_daily) AS d,
            (SELECT sum(charged) AS of_rows, count(*) AS rows, sum(input_tokens) AS input_rows, sum(output_tokens) AS output_rows
             FROM event) AS r
          WHERE (d.charged, d.calls, d.input, d.output) IS DISTINCT FROM (r.of_rows, r.rows, r.input_rows, r.output_rows)`,
  },
  {
    what: "the slots of a counter's usage do not add up to it",
    sql: `SELECT ${NAME} AS of, c.settled, u.charged FROM counter c
          JOIN (SELECT counter_id, sum(charged) AS charged FROM counter_usage GROUP BY counter_id) AS u ON u.counter_id = c.id
          WHERE u.charged <> c.settled - c.seeded`,
  },
  {
    what: 'an epoch is not closed though everyone has left it',
    sql: `SELECT id, state FROM epoch WHERE state <> 'closed'`,
    atEnd: true,
  },
  {
    what: 'an instance has not left an epoch',
    sql: `SELECT epoch, instance FROM epoch_instance WHERE closed_at IS NULL`,
    atEnd: true,
  },
  {
    what: 'allocated is not settled + refunded + unresolved',
    sql: `SELECT ${NAME} AS of, allocated, refunded, settled, unresolved FROM counter c
          WHERE allocated <> refunded + settled + unresolved`,
    atEnd: true,
  },
];

const MOST_SHOWN = 3;

export const checkSums = async ({ postgres, database }: Rig, isEnd: boolean): Promise<readonly string[]> => {
  const faults: string[] = [];
  for (const { what, sql, atEnd = false } of CHECKS) {
    if (atEnd && !isEnd) continue;
    const breaches = await postgres.query<object>(database, sql);
    if (breaches.length > 0)
      faults.push(`${what}: ${String(breaches.length)} (${JSON.stringify(breaches.slice(0, MOST_SHOWN))})`);
  }
  return faults;
};
