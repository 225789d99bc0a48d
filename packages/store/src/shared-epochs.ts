import { randomUUID } from 'node:crypto';
import type { PoolEpoch, PoolProcess, SharedEpochs } from '@tollgate/ledger/pool';
import type { Connection, Transaction } from './connection.ts';
import { sealEpoch } from './epochs.ts';

/** The epochs of the pool that several servers share: one row says which is current, and who moves it on holds its lock. */
export const sharedEpochs = ({ transact }: Connection, clock: () => number): SharedEpochs => ({
  current: () => transact(currentEpoch, 'snapshot'),
  succeed: (step) => transact((tx) => succeed(tx, step, clock())),
  attend: (process) => transact((tx) => attend(tx, process)),
  depart: async (id) => {
    await transact((tx) => tx.query('DELETE FROM pool_process WHERE id = $1', [id]));
  },
  unswept: () => transact(unswept, 'snapshot'),
  swept: async (epochs) => {
    await transact((tx) => tx.query('UPDATE epoch SET swept = true WHERE id = ANY($1::text[])', [epochs]));
  },
});

interface EpochRow {
  readonly id: string;
  readonly number: bigint;
  readonly library: string;
}

const currentEpoch = async (tx: Transaction): Promise<PoolEpoch | null> => {
  const [row] = await tx.query<EpochRow>(
    'SELECT e.id, e.number, e.library FROM shared_pool p JOIN epoch e ON e.id = p.epoch',
  );
  return row ? { ...row, number: Number(row.number) } : null;
};

const succeed = async (
  tx: Transaction,
  { previous, library, above }: Parameters<SharedEpochs['succeed']>[0],
  now: number,
): Promise<{ readonly epoch: PoolEpoch; readonly made: boolean }> => {
  await tx.query('SELECT 1 FROM shared_pool FOR UPDATE');
  const current = await currentEpoch(tx);
  if (current && current.id !== previous) return { epoch: current, made: false };
  if (current) await sealEpoch(tx, current.id, now);
  const [made] = await tx.query<EpochRow>(
    `INSERT INTO epoch (id, opened_at, number, library, swept)
     SELECT $1, to_timestamp($2::double precision / 1000), greatest($4::bigint, coalesce(max(number), 0)) + 1, $3, false
     FROM epoch RETURNING id, number, library`,
    [randomUUID(), now, library, above],
  );
  if (!made) throw new Error('an epoch was made and is not there');
  await tx.query('UPDATE shared_pool SET epoch = $1', [made.id]);
  return { epoch: { ...made, number: Number(made.number) }, made: true };
};

/** Seconds after which a silent process counts as gone. By the database's clock, which is one for all of them. */
const ALIVE_S = 30;

const attend = async (tx: Transaction, { id, library, dialects }: PoolProcess): Promise<readonly PoolProcess[]> => {
  await tx.query(
    `INSERT INTO pool_process (id, library, dialects, seen_at) VALUES ($1, $2, $3, now())
     ON CONFLICT (id) DO UPDATE SET library = excluded.library, dialects = excluded.dialects, seen_at = excluded.seen_at`,
    [id, library, dialects],
  );
  await tx.query('DELETE FROM pool_process WHERE seen_at < now() - make_interval(secs => $1)', [ALIVE_S]);
  return tx.query<PoolProcess>('SELECT id, library, dialects FROM pool_process ORDER BY id');
};

const unswept = async (tx: Transaction): Promise<readonly string[]> => {
  const rows = await tx.query<{ id: string }>(
    'SELECT id FROM epoch WHERE NOT swept AND id IS DISTINCT FROM (SELECT epoch FROM shared_pool) ORDER BY number',
  );
  return rows.map(({ id }) => id);
};
