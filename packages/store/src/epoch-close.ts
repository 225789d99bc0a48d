import { foldLocked } from './charge-fold.ts';
import type { Transaction } from './connection.ts';
import { lockCounters } from './counter-row.ts';

/**
 * The end of an epoch: sealed, and everyone who could lease in it has left. Only then is it known that nothing of it can
 * be spent any more, and its rest returns: allocated − refunded − settled − unresolved. Nothing is refunded by time.
 */
export const closeIfDone = async (tx: Transaction, epoch: string, now: number): Promise<void> => {
  const [row] = await tx.query<{ state: string }>('SELECT state FROM epoch WHERE id = $1 FOR UPDATE', [epoch]);
  if (row?.state !== 'sealed') return;
  const [members] = await tx.query<{ inside: bigint; lost: bigint }>(
    `SELECT count(*) FILTER (WHERE closed_at IS NULL) AS inside, count(*) FILTER (WHERE lost) AS lost
     FROM epoch_instance WHERE epoch = $1`,
    [epoch],
  );
  if (!members || members.inside > 0n) return;
  const counters = await tx.query<{ id: bigint }>(
    'SELECT counter_id AS id FROM counter_epoch WHERE epoch = $1 UNION SELECT counter_id FROM charge_delta WHERE epoch = $1',
    [epoch],
  );
  const ids = counters.map(({ id }) => id);
  await lockCounters(tx, ids);
  // What is not folded yet was spent all the same.
  await foldLocked(tx, ids);
  await bookRests(tx, epoch, members.lost > 0n);
  // From now on nothing is refunded to it, so nothing can be twice.
  await tx.query('DELETE FROM pool_refund WHERE epoch = $1', [epoch]);
  await tx.query(
    `UPDATE epoch SET state = 'closed', closed_at = to_timestamp($2::double precision / 1000) WHERE id = $1`,
    [epoch, now],
  );
};

/**
 * A rest above zero is refunded, or unresolved where someone was lost; one below zero is a debt: holds that were too
 * small spent what was never allocated, and the counter has to own up to it.
 */
const bookRests = async (tx: Transaction, epoch: string, lost: boolean): Promise<void> => {
  await tx.query(
    `WITH rest AS (
       UPDATE counter_epoch SET
         allocated  = allocated  + greatest(0, -(allocated - refunded - settled - unresolved)),
         refunded   = refunded   + CASE WHEN $2 THEN 0 ELSE greatest(0, allocated - refunded - settled - unresolved) END,
         unresolved = unresolved + CASE WHEN $2 THEN greatest(0, allocated - refunded - settled - unresolved) ELSE 0 END
       FROM (SELECT counter_id AS of, allocated - refunded - settled - unresolved AS amount FROM counter_epoch WHERE epoch = $1) AS before
       WHERE epoch = $1 AND counter_id = before.of
       RETURNING counter_id, before.amount
     )
     UPDATE counter c SET
       allocated  = c.allocated + greatest(0, -rest.amount),
       ceiling    = greatest(c.ceiling, c.allocated - c.refunded + greatest(0, -rest.amount)),
       refunded   = c.refunded + CASE WHEN $2 THEN 0 ELSE greatest(0, rest.amount) END,
       unresolved = c.unresolved + CASE WHEN $2 THEN greatest(0, rest.amount) ELSE 0 END
     FROM rest WHERE c.id = rest.counter_id`,
    [epoch, lost],
  );
};
