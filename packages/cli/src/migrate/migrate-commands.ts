/** What `tollgate migrate` does, once its options are read. */
import type { Schema } from '@tollgate/store';
import { CliError, EXIT } from '../cli-error.ts';
import { printTable } from '../format/table.ts';
import type { Io } from '../io.ts';
import { withSchema, type DatabaseOptions } from './with-schema.ts';

export const up = (options: DatabaseOptions, io: Io): Promise<void> =>
  withSchema(options, io, async (schema) => {
    const ran = await schema.up();
    for (const id of ran) io.stdout(`ran ${id}\n`);
    if (ran.length === 0) io.stdout(`nothing to do: the database is at ${(await versions(schema)).database}\n`);
  });

export const down = (
  { yes = false, ...options }: DatabaseOptions & { readonly yes?: boolean },
  io: Io,
): Promise<void> =>
  withSchema(options, io, async (schema) => {
    const next = await schema.nextDown();
    if (next === null) {
      io.stdout('nothing to do: no migration has run\n');
      return;
    }
    if (!yes) {
      throw new CliError(`undoing ${next.id} loses ${next.loses}`, {
        todo: 'stop every server and take a backup, then say --yes; a server of this version that starts runs it again',
        exitCode: EXIT.usage,
      });
    }
    const undone = await schema.down();
    io.stdout(`undid ${String(undone)}\n`);
    io.stderr(`lost: ${next.loses}\n`);
  });

export const status = (options: DatabaseOptions, io: Io): Promise<void> =>
  withSchema(options, io, async (schema) => {
    const rows = (await schema.states()).map(({ id, ranAt }) => [id, ranAt === null ? 'not yet' : ranAt.toISOString()]);
    io.stdout(printTable(['MIGRATION', 'RAN'], rows));
  });

export const version = (options: DatabaseOptions, io: Io): Promise<void> =>
  withSchema(options, io, async (schema) => {
    const { database, program } = await versions(schema);
    io.stdout(`database ${database}\ntollgate ${program}\n`);
  });

const versions = async (schema: Schema): Promise<{ readonly database: string; readonly program: string }> => {
  const states = await schema.states();
  return {
    database: states.findLast(({ ranAt }) => ranAt !== null)?.id ?? 'none',
    program: states.at(-1)?.id ?? 'none',
  };
};
