import type { Subject } from '@tollgate/api';
import { LedgerRequestError, type JoinAnswer, type PoolReturn } from '@tollgate/ledger/pool';
import type { HelloRequest } from '@tollgate/ledger';
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
export const shareEpoch = async (tx: Transaction, id: string): Promise<EpochState | null> => {
  const [row] = await tx.query<{ state: EpochState }>('SELECT state FROM epoch WHERE id = $1 FOR SHARE', [id]);
  return row?.state ?? null;
};

/** No block of it any more. Where everyone has left, the rest is refunded at once. */
export const sealEpoch = async (tx: Transaction, id: string, now: number): Promise<void> => {
  await tx.query(`UPDATE epoch SET state = 'sealed' WHERE id = $1 AND state = 'open'`, [id]);
  await closeIfDone(tx, id, now);
};

/** After a crash: what earlier lives of the server left open. Returns the epochs that are not closed yet. */
export const sealOthers = async (tx: Transaction, except: string, now: number): Promise<void> => {
  const others = await tx.query<{ id: string }>(
    `SELECT id FROM epoch WHERE state <> 'closed' AND id <> $1 ORDER BY id FOR UPDATE`,
    [except],
  );
  for (const { id } of others) await sealEpoch(tx, id, now);
};

/** Hello: the instance is known from now on, and may lease in this epoch even if it had closed it before. */
export const registerInstance = async (
  tx: Transaction,
  hello: Pick<HelloRequest, 'instance' | 'version' | 'subject'>,
  epoch: string,
  now: number,
): Promise<JoinAnswer> => {
  await tx.query(
    `INSERT INTO instance (id, version, subject, hello_at) VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000))
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, subject = excluded.subject, hello_at = excluded.hello_at`,
    [hello.instance, hello.version, JSON.stringify(hello.subject), now],
  );
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
  const known = await tx.query('SELECT 1 FROM instance WHERE id = $1 FOR SHARE', [instance]);
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
 * The instance holds nothing of the epoch any more. Returns what its charges there sum to, by counter. Refused while
 * events up to `lastSeq` are missing: what is not charged yet would be taken for unspent.
 */
export const closeInstance = async (
  tx: Transaction,
  { instance, epoch, lastSeq }: { readonly instance: string; readonly epoch: string; readonly lastSeq: number },
  now: number,
): Promise<readonly PoolReturn[]> => {
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
  await leave(tx, epoch, instance, now, false);
  await closeIfDone(tx, epoch, now);
  return tx.query<PoolReturn>(
    `SELECT c.budget, c.limit_name AS "limit", c.partition_value AS "partition", c.window_id AS "windowId",
            i.charged AS amount
     FROM instance_charge i JOIN counter c ON c.id = i.counter_id
     WHERE i.instance = $1 AND i.epoch = $2`,
    [instance, epoch],
  );
};

/** The instance is gone with its spool: what nobody can account for in its epochs is booked as unresolved. */
export const abandonInstance = async (tx: Transaction, instance: string, now: number): Promise<void> => {
  await tx.query('SELECT 1 FROM instance WHERE id = $1 FOR UPDATE', [instance]);
  const epochs = await tx.query<{ epoch: string }>(
    'SELECT epoch FROM epoch_instance WHERE instance = $1 AND closed_at IS NULL ORDER BY epoch',
    [instance],
  );
  for (const { epoch } of epochs) {
    await leave(tx, epoch, instance, now, true);
    await closeIfDone(tx, epoch, now);
  }
};

const leave = async (tx: Transaction, epoch: string, instance: string, now: number, lost: boolean): Promise<void> => {
  await tx.query('SELECT 1 FROM epoch WHERE id = $1 FOR UPDATE', [epoch]);
  await tx.query(
    `UPDATE epoch_instance SET closed_at = to_timestamp($3::double precision / 1000), lost = $4
     WHERE epoch = $1 AND instance = $2 AND closed_at IS NULL`,
    [epoch, instance, now, lost],
  );
};
