/** `tollgate migrate up|down|status|version`: the schema of the server's database. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { parseWhole } from '../number-options.ts';

interface MigrateOptions {
  readonly databaseUrl?: string;
  readonly wait: number;
}

export const addMigrate = (program: Command, io: Io): void => {
  const migrate = program.command('migrate').description("bring the server's database to this version, or a step back");
  const add = (name: string, description: string): Command =>
    migrate
      .command(name)
      .description(description)
      .option('--database-url <url>', 'the database (default: DATABASE_URL)')
      .option('--wait <seconds>', 'wait this long for a database that is not there yet', parseWhole, 0);

  add('up', 'run every migration that has not run yet; servers do so when they start').action(
    async (options: MigrateOptions) => (await commands()).up(options, io),
  );
  add('down', 'undo the last migration')
    .option('--yes', 'lose what cannot be kept')
    .action(async (options: MigrateOptions & { readonly yes?: boolean }) => (await commands()).down(options, io));
  add('status', 'list the migrations, and when each ran').action(async (options: MigrateOptions) =>
    (await commands()).status(options, io),
  );
  add('version', 'print the version of the schema in the database and in this command').action(
    async (options: MigrateOptions) => (await commands()).version(options, io),
  );
};

const commands = () => import('../migrate/migrate-commands.ts');
