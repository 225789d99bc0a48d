import type { Subject } from '@tollgate/api';
import { ANY_EPOCH, type CloseRequest, type HelloRequest } from '@tollgate/ledger';
import { LedgerRequestError, type ChargedInEpoch, type JoinAnswer } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';
import { closeIfDone } from './epoch-close.ts';

/**
 * Epochs and who may lease in them. Locks are taken in one order everywhere: instance, epoch, counter, the rest.
 */
export type EpochState = 'open' | 'sealed' | 'closed';

export const openEpoch = async (tx: Transaction, id: string, now: number): Promise<void> => {
  await tx.query('INSERT INTO epoch (id, opened_at) VALUES ($1, to_timestamp($2::double precision / 1000))', [id, now]);
};

/** The epoch's state, kept from changing until the transaction ends; null where it is unknown. */
export const shareEpoch = async (tx: Transaction, id: string): Promise<EpochState | null> =>
  (await readEpoch(tx, id))?.state ?? null;

/** As above, and whether several servers share it. */
export const readEpoch = async (
  tx: Transaction,
  id: string,
): Promise<{ readonly state: EpochState; readonly isShared: boolean } | null> => {
  const [row] = await tx.query<{ state: EpochState; isShared: boolean }>(
    'SELECT state, number IS NOT NULL AS "isShared" FROM epoch WHERE id = $1 FOR SHARE',
    [id],
  );
  return row ?? null;
};

/** No block of it any more. Where everyone has left, the rest is refunded at once. */
export const sealEpoch = async (tx: Transaction, id: string, now: number): Promise<void> => {
  await tx.query(`UPDATE epoch SET state = 'sealed' WHERE id = $1 AND state = 'open'`, [id]);
  await closeIfDone(tx, id, now);
};

/** The end of one server's own pool. A shared epoch goes on with the other servers, until its successor seals it. */
export const sealOwnEpoch = async (tx: Transaction, id: string, now: number): Promise<void> => {
  const own = await tx.query('SELECT 1 FROM epoch WHERE id = $1 AND number IS NULL', [id]);
  if (own.length > 0) await sealEpoch(tx, id, now);
};

/** After a crash: what earlier lives of the server left open, but not the epoch that servers share. */
export const sealOthers = async (tx: Transaction, except: string, now: number): Promise<void> => {
  const others = await tx.query<{ id: string }>(
    `SELECT id FROM epoch WHERE state <> 'closed' AND id <> $1 AND id IS DISTINCT FROM (SELECT epoch FROM shared_pool)
     ORDER BY id FOR UPDATE`,
    [except],
  );
  for (const { id } of others) await sealEpoch(tx, id, now);
};

/** Hello: the instance is known from now on, and may lease in this epoch even if it had closed it before; not once it is over. */
export const registerInstance = async (
  tx: Transaction,
  hello: Pick<HelloRequest, 'instance' | 'version' | 'subject'>,
  epoch: string,
  now: number,
): Promise<JoinAnswer> => {
  const welcome = await tx.query(
    `INSERT INTO instance (id, version, subject, hello_at) VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000))
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, subject = excluded.subject, hello_at = excluded.hello_at
     WHERE instance.over_at IS NULL RETURNING id`,
    [hello.instance, hello.version, JSON.stringify(hello.subject), now],
  );
  if (welcome.length === 0) return 'unknown';
  if ((await shareEpoch(tx, epoch)) !== 'open') return 'sealed';
  await tx.query(
    `INSERT INTO epoch_instance (epoch, instance, joined_at) VALUES ($1, $2, to_timestamp($3::double precision / 1000))
     ON CONFLICT (epoch, instance) DO UPDATE SET closed_at = NULL`,
    [epoch, hello.instance, now],
  );
  return 'joined';
};

export const subjectOf = async (tx: Transaction, instance: string): Promise<Subject | null> => {
  const [row] = await tx.query<{ subject: Subject | null }>('SELECT subject FROM instance WHERE id = $1', [instance]);
  return row?.subject ?? null;
};

/** Before an instance's first lease in an epoch that began after its hello. One that closed it must say hello again. */
export const joinEpoch = async (tx: Transaction, epoch: string, instance: string, now: number): Promise<JoinAnswer> => {
  const known = await tx.query('SELECT 1 FROM instance WHERE id = $1 AND over_at IS NULL FOR SHARE', [instance]);
  if (known.length === 0) return 'unknown';
  if ((await shareEpoch(tx, epoch)) !== 'open') return 'sealed';
  await tx.query(
    `INSERT INTO epoch_instance (epoch, instance, joined_at) VALUES ($1, $2, to_timestamp($3::double precision / 1000))
     ON CONFLICT (epoch, instance) DO NOTHING`,
    [epoch, instance, now],
  );
  const [member] = await tx.query<{ open: boolean }>(
    'SELECT closed_at IS NULL AS open FROM epoch_instance WHERE epoch = $1 AND instance = $2',
    [epoch, instance],
  );
  return member?.open === true ? 'joined' : 'unknown';
};

/**
 * The instance holds nothing of the epoch any more (of `ANY_EPOCH`: of any, and it is over). Returns what its charges
 * there sum to. Refused while events up to `lastSeq` are missing: what is not charged yet would be taken for unspent.
 */
export const closeInstance = async (
  tx: Transaction,
  { instance, epoch, lastSeq }: CloseRequest,
  now: number,
): Promise<readonly ChargedInEpoch[]> => {
  if (epoch === ANY_EPOCH) await markOver(tx, instance, lastSeq, now);
  const [row] = await tx.query<{ acked_seq: bigint }>('SELECT acked_seq FROM instance WHERE id = $1 FOR UPDATE', [
    instance,
  ]);
  if (!row) throw new LedgerRequestError('unknown_instance', 'this instance never said hello');
  if (row.acked_seq < lastSeq) {
    throw new LedgerRequestError(
      'events_missing',
      `events are stored up to ${String(row.acked_seq)}, not ${String(lastSeq)}`,
    );
  }
  const epochs = epoch === ANY_EPOCH ? await openEpochsOf(tx, instance) : [epoch];
  for (const each of epochs) await leave(tx, each, instance, now, false);
  for (const each of epochs) await closeIfDone(tx, each, now);
  // Also of those that were closed before: whoever asks may not have heard the answer.
  return tx.query<ChargedInEpoch>(
    `SELECT c.budget, c.limit_name AS "limit", c.partition_value AS "partition", c.window_id AS "windowId",
            i.epoch, i.charged AS amount
     FROM instance_charge i JOIN counter c ON c.id = i.counter_id
     WHERE i.instance = $1 AND ($2 = '' OR i.epoch = $2)`,
    [instance, epoch],
  );
};

/** One that we never heard of is written down as well, where it has nothing to tell: its hello may still be on its way. */
const markOver = async (tx: Transaction, instance: string, lastSeq: number, now: number): Promise<void> => {
  const marked = await tx.query(
    'UPDATE instance SET over_at = to_timestamp($2::double precision / 1000) WHERE id = $1 RETURNING id',
    [instance, now],
  );
  if (marked.length > 0 || lastSeq > 0) return;
  await tx.query(
    `INSERT INTO instance (id, hello_at, over_at)
     VALUES ($1, to_timestamp($2::double precision / 1000), to_timestamp($2::double precision / 1000))
     ON CONFLICT (id) DO UPDATE SET over_at = excluded.over_at`,
    [instance, now],
  );
};

/** Every epoch that waits for this instance, in the order of locks. */
const openEpochsOf = async (tx: Transaction, instance: string): Promise<readonly string[]> => {
  const rows = await tx.query<{ epoch: string }>(
    'SELECT epoch FROM epoch_instance WHERE instance = $1 AND closed_at IS NULL ORDER BY epoch',
    [instance],
  );
  return rows.map(({ epoch }) => epoch);
};

/** The instance is gone with its spool: what nobody can account for in its epochs is booked as unresolved. */
export const abandonInstance = async (tx: Transaction, instance: string, now: number): Promise<readonly string[]> => {
  await tx.query('SELECT 1 FROM instance WHERE id = $1 FOR UPDATE', [instance]);
  const epochs = await openEpochsOf(tx, instance);
  for (const epoch of epochs) {
    await leave(tx, epoch, instance, now, true);
    await closeIfDone(tx, epoch, now);
  }
  return epochs;
};

/** Also of one that it never joined: a question for a lease that is still on its way must not find it a member there. */
const leave = async (tx: Transaction, epoch: string, instance: string, now: number, lost: boolean): Promise<void> => {
  await tx.query('SELECT 1 FROM epoch WHERE id = $1 FOR UPDATE', [epoch]);
  await tx.query(
    `INSERT INTO epoch_instance AS member (epoch, instance, joined_at, closed_at, lost)
     SELECT id, $2, to_timestamp($3::double precision / 1000), to_timestamp($3::double precision / 1000), $4
     FROM epoch WHERE id = $1 AND state <> 'closed'
     ON CONFLICT (epoch, instance) DO UPDATE SET closed_at = excluded.closed_at, lost = excluded.lost
     WHERE member.closed_at IS NULL`,
    [epoch, instance, now, lost],
  );
};
