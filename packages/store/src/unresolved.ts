import type { LimitUnit } from '@tollgate/api';
import type { CounterName } from '@tollgate/ledger';
import type { Transaction } from './connection.ts';

/**
 * What nobody can account for: charged and in sight until its owner's spool turns up or someone releases it. One row a
 * counter and epoch. To release moves the amount from `unresolved` to `refunded`, so conservation holds before and after.
 */
export interface Unresolved extends CounterName {
  readonly id: string;
  readonly windowId: string;
  readonly unit: LimitUnit;
  /** In the counter's unit, above zero. */
  readonly amount: bigint;
  /**
   * `lost`: an instance is gone with its spool. `began-late`: leases of older limits were out when this counter began.
   */
  readonly cause: 'lost' | 'began-late';
  /** Milliseconds UTC since when it is unresolved; null where it began late. */
  readonly since: number | null;
  readonly lost: readonly LostInstance[];
}

export interface LostInstance {
  readonly instance: string;
  readonly at: number | null;
  readonly by: string | null;
  readonly reason: string | null;
}

/** Who releases, and why: kept with the amount. */
export interface Release {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
}

export interface OverdueRelease {
  /** Budgets whose `unresolvedPolicy` is Release, as `namespace/name`. */
  readonly budgets: readonly string[];
  /** Milliseconds UTC: what has been unresolved since then or longer. */
  readonly before: number;
}

interface Row {
  readonly counter_id: bigint;
  readonly epoch: string;
  readonly budget: string;
  readonly limit_name: string;
  readonly partition_value: string;
  readonly window_id: string;
  readonly unit: LimitUnit;
  readonly amount: bigint;
  readonly since_ms: bigint | null;
  readonly lost: readonly LostInstance[];
}

const MAX_LISTED = 10_000;

/** The newest windows first; at most 10,000. */
export const listUnresolved = async (tx: Transaction): Promise<readonly Unresolved[]> => {
  const rows = await tx.query<Row>(
    `SELECT e.counter_id, e.epoch, c.budget, c.limit_name, c.partition_value, c.window_id, c.unit, e.unresolved AS amount,
            (extract(epoch FROM p.closed_at) * 1000)::bigint AS since_ms, coalesce(gone.instances, '[]') AS lost
     FROM counter_epoch e JOIN counter c ON c.id = e.counter_id LEFT JOIN epoch p ON p.id = e.epoch
     LEFT JOIN LATERAL (
       SELECT json_agg(json_build_object('instance', i.id, 'at', (extract(epoch FROM i.abandoned_at) * 1000)::bigint,
                                         'by', i.abandoned_by, 'reason', i.abandoned_reason) ORDER BY i.id) AS instances
       FROM epoch_instance m JOIN instance i ON i.id = m.instance WHERE m.epoch = e.epoch AND m.lost) gone ON true
     WHERE e.unresolved > 0 ORDER BY c.window_start_ms DESC, e.counter_id, e.epoch LIMIT $1`,
    [MAX_LISTED],
  );
  return rows.map((row) => ({
    id: idOf(row),
    budget: row.budget,
    limit: row.limit_name,
    partition: row.partition_value,
    windowId: row.window_id,
    unit: row.unit,
    amount: row.amount,
    cause: row.epoch === '' ? 'began-late' : 'lost',
    since: row.since_ms === null ? null : Number(row.since_ms),
    lost: row.lost,
  }));
};

/** Gives all of one row back to its counter. Returns how much that was; null: there is nothing unresolved by this id. */
export const releaseUnresolved = async (
  tx: Transaction,
  { id, by, reason }: Release,
  now: number,
): Promise<bigint | null> => {
  const key = keyOf(id);
  return key ? release(tx, key, { by, reason }, now) : null;
};

/** Returns what was released, as it was. */
export const releaseOverdue = async (
  tx: Transaction,
  { budgets, before }: OverdueRelease,
  now: number,
): Promise<readonly Unresolved[]> => {
  if (budgets.length === 0) return [];
  const due = (await listUnresolved(tx)).filter(
    ({ budget, since }) => since !== null && since <= before && budgets.includes(budget),
  );
  const keys = due.flatMap(({ id }) => keyOf(id) ?? []);
  // Epochs before counters, each in one order, as everywhere.
  keys.sort((a, b) => (a.epoch === b.epoch ? (a.counterId < b.counterId ? -1 : 1) : a.epoch < b.epoch ? -1 : 1));
  await tx.query('SELECT 1 FROM epoch WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE', [
    keys.map(({ epoch }) => epoch),
  ]);
  await tx.query('SELECT 1 FROM counter WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [
    keys.map(({ counterId }) => counterId),
  ]);
  const released = new Map<string, bigint>();
  for (const key of keys) {
    const amount = await release(tx, key, { by: 'unresolvedPolicy', reason: 'Release' }, now);
    if (amount !== null) released.set(idOf({ counter_id: key.counterId, epoch: key.epoch }), amount);
  }
  return due.flatMap((row) => {
    const amount = released.get(row.id);
    return amount === undefined ? [] : [{ ...row, amount }];
  });
};

interface UnresolvedKey {
  readonly counterId: bigint;
  readonly epoch: string;
}

const idOf = ({ counter_id, epoch }: Pick<Row, 'counter_id' | 'epoch'>): string => `${String(counter_id)}.${epoch}`;

const keyOf = (id: string): UnresolvedKey | null => {
  const [, counterId, epoch] = /^(\d{1,18})\.([\w-]{0,64})$/.exec(id) ?? [];
  return counterId === undefined || epoch === undefined ? null : { counterId: BigInt(counterId), epoch };
};

const release = async (
  tx: Transaction,
  { counterId, epoch }: UnresolvedKey,
  { by, reason }: Omit<Release, 'id'>,
  now: number,
): Promise<bigint | null> => {
  // A late spool takes from the same amount: whoever holds the epoch and the counter goes first.
  await tx.query('SELECT 1 FROM epoch WHERE id = $1 FOR UPDATE', [epoch]);
  await tx.query('SELECT 1 FROM counter WHERE id = $1 FOR UPDATE', [counterId]);
  const [row] = await tx.query<{ amount: bigint }>(
    'SELECT unresolved AS amount FROM counter_epoch WHERE counter_id = $1 AND epoch = $2 AND unresolved > 0',
    [counterId, epoch],
  );
  if (!row) return null;
  await tx.query(
    `WITH of_epoch AS (
       UPDATE counter_epoch SET unresolved = unresolved - $3, refunded = refunded + $3 WHERE counter_id = $1 AND epoch = $2
     ), written AS (
       INSERT INTO unresolved_release (counter_id, epoch, amount, released_at, released_by, reason)
       VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000), $5, $6)
     )
     UPDATE counter SET unresolved = unresolved - $3, refunded = refunded + $3 WHERE id = $1`,
    [counterId, epoch, row.amount, now, by, reason],
  );
  return row.amount;
};
