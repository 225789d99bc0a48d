import { createHash } from 'node:crypto';
import type { Transaction } from './connection.ts';

/** Brings a database to the present schema: each migration once, in order, all in one transaction under one lock. */
export interface Migration {
  readonly id: string;
  readonly sql: string;
}

/** The database has been migrated by another Tollgate, or a migration was edited after it ran. */
export class MigrationMismatch extends Error {
  readonly code = 'migration_mismatch';
}

/** 'tollgate' read as a number: two servers that start at once migrate one after the other. */
const LOCK = 8_389_754_676_633_367_205n;

export const migrate = async (tx: Transaction, migrations: readonly Migration[]): Promise<void> => {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await tx.query(
    `CREATE TABLE IF NOT EXISTS migration (id text PRIMARY KEY, checksum text NOT NULL, run_at timestamptz NOT NULL DEFAULT now())`,
  );
  const ran = await tx.query<{ id: string; checksum: string }>('SELECT id, checksum FROM migration ORDER BY id');
  checkHistory(ran, migrations);
  for (const migration of migrations.slice(ran.length)) {
    await tx.query(migration.sql);
    await tx.query('INSERT INTO migration (id, checksum) VALUES ($1, $2)', [migration.id, checksum(migration)]);
  }
};

const checkHistory = (ran: readonly { id: string; checksum: string }[], migrations: readonly Migration[]): void => {
  ran.forEach((row, at) => {
    const known = migrations[at];
    if (known?.id !== row.id) {
      throw new MigrationMismatch(
        `the database has run migration ${row.id}, which this version does not know: use a newer one`,
      );
    }
    if (checksum(known) !== row.checksum) {
      throw new MigrationMismatch(`migration ${row.id} is not the one that the database has run`);
    }
  });
};

const checksum = ({ sql }: Migration): string => createHash('sha256').update(sql).digest('hex');
