import { makeConnection, type Connection } from './connection.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { checkCurrent, meet, NO_WAIT } from './schema.ts';
import { storeOn, type Store } from './store.ts';
import type { Wait } from './wait-for-database.ts';

/** Opens a store on a database that is there, or that is waited for, and of the present schema. */
export interface StoreOptions {
  readonly connectionString: string;
  /** Connections at most; 1 against PGlite. */
  readonly max?: number;
  readonly onIdleError?: (error: Error) => void;
  /** How long to wait for a database that is not there yet, and whom to tell. Default: a second. */
  readonly wait?: Wait;
  /** `up`: brings the schema up to date first (default). `check`: refuses to open where it is not. */
  readonly schema?: 'up' | 'check';
}

/**
 * Throws `StoreUnavailable` where no database answered in time, `StoreRefused` where it does not let us in, and
 * `MigrationMismatch` where its schema is not one of ours.
 */
export const openStore = async ({
  connectionString,
  max = 10,
  onIdleError,
  wait = NO_WAIT,
  schema = 'up',
}: StoreOptions): Promise<Store> => {
  const connection = makeConnection({ connectionString, max, ...(onIdleError ? { onIdleError } : {}) });
  try {
    await meet(connection, wait);
    return storeOn(connection, await organisationOf(connection, schema));
  } catch (error) {
    await connection.close();
    throw error;
  }
};

const organisationOf = ({ transact }: Connection, schema: 'up' | 'check'): Promise<string> =>
  transact(async (tx) => {
    if (schema === 'up') await migrate(tx, MIGRATIONS);
    else await checkCurrent(tx);
    const [row] = await tx.query<{ id: string }>('SELECT id FROM organisation');
    return row?.id ?? '';
  }, 'migration');
