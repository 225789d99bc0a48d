import { chance, makeConnection, type Connection, type ConnectionOptions, type Transaction } from './connection.ts';
import {
  lastMigration,
  migrate,
  migrateDown,
  migrationStates,
  MigrationMismatch,
  type MigrationState,
} from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { StoreRefused } from './store-refused.ts';
import { waitForDatabase, type Wait } from './wait-for-database.ts';

/** The schema of a database: what `tollgate migrate` asks and does, and what a store asks for when it opens. */
export interface Schema {
  /** Runs what has not run yet, one server at a time. Returns the ids of what it ran. */
  up(): Promise<readonly string[]>;
  /** What the next step back would undo, and what would be lost with it; null: nothing has run. */
  nextDown(): Promise<{ readonly id: string; readonly loses: string } | null>;
  /** Undoes the last step. Returns its id; null: nothing has run. */
  down(): Promise<string | null>;
  /** Every step that this program knows, in order. Throws `MigrationMismatch` where the database knows others. */
  states(): Promise<readonly MigrationState[]>;
  close(): Promise<void>;
}

export interface SchemaOptions extends Pick<ConnectionOptions, 'connectionString'> {
  readonly wait?: Wait;
}

export const openSchema = async ({ connectionString, wait = NO_WAIT }: SchemaOptions): Promise<Schema> => {
  const connection = makeConnection({ connectionString, max: 1 });
  try {
    await meet(connection, wait);
  } catch (error) {
    await connection.close();
    throw error;
  }
  const { transact } = connection;
  return {
    up: () => transact((tx) => migrate(tx, MIGRATIONS), 'migration'),
    nextDown: async () => {
      const last = await transact((tx) => lastMigration(tx, MIGRATIONS), 'snapshot');
      return last && { id: last.id, loses: last.loses };
    },
    down: () => transact((tx) => migrateDown(tx, MIGRATIONS), 'migration'),
    states: () => transact((tx) => migrationStates(tx, MIGRATIONS), 'snapshot'),
    close: () => connection.close(),
  };
};

export const NO_WAIT: Wait = { upToMs: 0, onWaiting: () => undefined };

/** Waits until the database answers, and refuses one that is too old. */
export const meet = async (connection: Connection, wait: Wait): Promise<void> => {
  const version = await waitForDatabase(() => connection.transact(serverVersion, 'snapshot'), wait, {
    elapsed: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: chance,
  });
  if (version >= OLDEST) return;
  throw new StoreRefused(`the database is PostgreSQL ${String(Math.floor(version / 10_000))}`, {
    todo: 'use PostgreSQL 15 or newer',
  });
};

const OLDEST = 150_000;

const serverVersion = async (tx: Transaction): Promise<number> => {
  const [row] = await tx.query<{ version: number }>(`SELECT current_setting('server_version_num')::int AS version`);
  return row?.version ?? 0;
};

/** For a server that must not change the schema by itself. */
export const checkCurrent = async (tx: Transaction): Promise<void> => {
  const due = (await migrationStates(tx, MIGRATIONS)).filter(({ ranAt }) => ranAt === null);
  const [first] = due;
  if (first === undefined) return;
  throw new MigrationMismatch(
    `the database lacks ${String(due.length)} migration${due.length === 1 ? '' : 's'}, ${first.id} first: run "tollgate migrate up"`,
  );
};
