import { createHash } from 'node:crypto';
import type { Transaction } from './connection.ts';

/** Brings a database to the present schema, or one step back: each migration once, in order, under one lock. */
export interface Migration {
  readonly id: string;
  readonly sql: string;
  /** Undoes `sql`. Never part of the checksum, so that a way back may be repaired after the way there has run. */
  readonly down: string;
  /** What `down` cannot keep, in words for whoever is about to run it; 'nothing'. */
  readonly loses: string;
}

export interface MigrationState {
  readonly id: string;
  /** Null: not run yet. */
  readonly ranAt: Date | null;
}

/** The database has been migrated by another Tollgate, or a migration was edited after it ran. Says what to do. */
export class MigrationMismatch extends Error {
  readonly code = 'migration_mismatch';

  constructor(message: string) {
    super(message);
    this.name = 'MigrationMismatch';
  }
}

/** Runs what has not run yet. Returns the ids of what it ran. */
export const migrate = async (
  tx: Transaction,
  migrations: readonly Migration[],
): Promise<readonly Migration['id'][]> => {
  await lock(tx);
  await tx.query(
    `CREATE TABLE IF NOT EXISTS migration (id text PRIMARY KEY, checksum text NOT NULL, run_at timestamptz NOT NULL DEFAULT now())`,
  );
  const ran = await readHistory(tx);
  checkHistory(ran, migrations);
  const due = migrations.slice(ran.length);
  for (const migration of due) {
    await tx.query(migration.sql);
    await tx.query('INSERT INTO migration (id, checksum) VALUES ($1, $2)', [migration.id, checksum(migration)]);
  }
  return due.map(({ id }) => id);
};

/** The migration that `migrateDown` would undo; null where none has run. */
export const lastMigration = async (tx: Transaction, migrations: readonly Migration[]): Promise<Migration | null> => {
  const ran = await readHistory(tx);
  checkHistory(ran, migrations);
  return ran.length === 0 ? null : (migrations[ran.length - 1] ?? null);
};

/** Undoes the last one that ran. Returns its id; null where none has run. */
export const migrateDown = async (tx: Transaction, migrations: readonly Migration[]): Promise<string | null> => {
  await lock(tx);
  const last = await lastMigration(tx, migrations);
  if (last === null) return null;
  await tx.query(last.down);
  await tx.query('DELETE FROM migration WHERE id = $1', [last.id]);
  return last.id;
};

/** Every migration that this program knows, and when it ran. Also refused where the database is ahead. */
export const migrationStates = async (
  tx: Transaction,
  migrations: readonly Migration[],
): Promise<readonly MigrationState[]> => {
  const ran = await readHistory(tx);
  checkHistory(ran, migrations);
  return migrations.map(({ id }, at) => ({ id, ranAt: ran[at]?.run_at ?? null }));
};

/** 'tollgate' read as a number: two servers that start at once migrate one after the other. */
const LOCK = 8_389_754_676_633_367_205n;

/** The turn of another server is waited for; a table that a long query holds is not, with all others queued behind us. */
const lock = async (tx: Transaction): Promise<void> => {
  await tx.query(`SET LOCAL lock_timeout = '10min'`);
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await tx.query(`SET LOCAL lock_timeout = '10s'`);
};

interface Ran {
  readonly id: string;
  readonly checksum: string;
  readonly run_at: Date;
}

const readHistory = async (tx: Transaction): Promise<readonly Ran[]> => {
  const [table] = await tx.query<{ there: boolean }>(`SELECT to_regclass('migration') IS NOT NULL AS there`);
  if (table?.there !== true) return [];
  return tx.query<Ran>('SELECT id, checksum, run_at FROM migration ORDER BY id');
};

const checkHistory = (ran: readonly Ran[], migrations: readonly Migration[]): void => {
  ran.forEach((row, at) => {
    const known = migrations[at];
    if (known?.id !== row.id) {
      throw new MigrationMismatch(
        `the database has run migration ${row.id}, which this version does not know: use a newer one, or step back with "tollgate migrate down" of the one that ran it`,
      );
    }
    if (checksum(known) !== row.checksum) {
      throw new MigrationMismatch(
        `migration ${row.id} is not the one that the database has run: use the version that ran it, or one released since`,
      );
    }
  });
};

const checksum = ({ sql }: Migration): string => createHash('sha256').update(sql).digest('hex');
