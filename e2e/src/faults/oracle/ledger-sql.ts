/** The ledger's tables as the oracle reads them: one row an event, and sums with what is not folded into them yet. */
const WITH = `WITH row AS (
    SELECT i.id AS instance, e.seq, e.request_id, k.attempt, e.user_id, k.settle, e.held, e.charged, e.input_tokens,
           e.output_tokens, k.counter_ids, k.counter_epochs, e.counter_held, e.counter_amount
    FROM event e JOIN instance i ON i.n = e.instance_n JOIN event_common k ON k.month = e.month AND k.id = e.common
  ), charge AS (
    SELECT row.instance, u.counter_id, u.epoch, u.held, u.amount
    FROM row, unnest(counter_ids, counter_epochs, counter_held, counter_amount) AS u(counter_id, epoch, held, amount)
  ), of_counter AS (
    SELECT c.id, c.budget || '/' || c.limit_name || '/' || c.partition_value || '@' || c.window_id AS of, c.limit_max,
           c.seeded, c.refunded, c.allocated + coalesce(d.allocated, 0) AS allocated,
           c.settled + coalesce(d.charged, 0) AS settled, c.unresolved + coalesce(d.unresolved, 0) AS unresolved,
           c.calls + coalesce(d.calls, 0) AS calls
    FROM counter c LEFT JOIN (
      SELECT counter_id, sum(allocated) AS allocated, sum(charged) AS charged, sum(unresolved) AS unresolved,
             sum(calls) AS calls
      FROM charge_delta GROUP BY counter_id) AS d ON d.counter_id = c.id
  ), of_epoch AS (
    SELECT counter_id, epoch, sum(allocated) AS allocated, sum(refunded) AS refunded, sum(settled) AS settled,
           sum(unresolved) AS unresolved
    FROM (SELECT counter_id, epoch, allocated, refunded, settled, unresolved FROM counter_epoch
          UNION ALL SELECT counter_id, epoch, allocated, 0, charged, unresolved FROM charge_delta) AS both_parts
    GROUP BY counter_id, epoch
  ), of_usage AS (
    SELECT charged, calls, input_tokens, output_tokens FROM usage_daily
    UNION ALL SELECT charged, calls, input_tokens, output_tokens FROM usage_delta
  ), of_slot AS (
    SELECT counter_id, charged FROM counter_usage UNION ALL SELECT counter_id, charged FROM charge_delta
  )`;

/** A question to `row`, `charge`, `of_counter`, `of_epoch`, `of_usage`, `of_slot` and the tables beside them. */
export const asked = (question: string): string => `${WITH} ${question}`;
