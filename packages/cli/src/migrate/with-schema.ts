/** Opens the schema that a command works on, closes it, and puts into words what can be wrong with a database. */
import { MigrationMismatch, openSchema, StoreRefused, StoreUnavailable, type Schema } from '@tollgate/store';
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';

export interface DatabaseOptions {
  readonly databaseUrl?: string;
  /** Seconds. */
  readonly wait: number;
}

export const withSchema = async (
  { databaseUrl, wait }: DatabaseOptions,
  io: Io,
  work: (schema: Schema) => Promise<void>,
): Promise<void> => {
  const connectionString = databaseUrl ?? io.env['DATABASE_URL'] ?? '';
  if (connectionString === '') {
    throw new CliError('no database is named', {
      todo: 'set DATABASE_URL to postgres://user:password@host:5432/database, or use --database-url',
      exitCode: EXIT.usage,
    });
  }
  try {
    const schema = await openSchema({
      connectionString,
      wait: {
        upToMs: wait * 1000,
        onWaiting: ({ reason, retryInMs }) =>
          io.stderr(`waiting: ${reason.message}, next try in ${(retryInMs / 1000).toFixed(1)} s\n`),
      },
    });
    try {
      await work(schema);
    } finally {
      await schema.close();
    }
  } catch (error) {
    throw inWords(error);
  }
};

const inWords = (error: unknown): unknown => {
  if (error instanceof StoreRefused) {
    return new CliError(error.message, { todo: error.todo, exitCode: EXIT.usage, cause: error });
  }
  if (error instanceof StoreUnavailable) {
    return new CliError(error.message, {
      todo: 'start it, or check DATABASE_URL; --wait 60 waits a minute for it',
      exitCode: EXIT.unavailable,
      cause: error,
    });
  }
  if (error instanceof MigrationMismatch) {
    return new CliError('the schema of the database is not one of this version', {
      todo: error.message,
      cause: error,
    });
  }
  return error;
};
