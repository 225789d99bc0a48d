/** `tollgate server`: the server alone, over a PostgreSQL that several of them may share. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';

export const addServer = (program: Command, io: Io): void => {
  program
    .command('server')
    .description('run the server alone: ledger and management API for proxies of this and other machines')
    .option(
      '--resources <dir>',
      'folder of manifests (or one file); edits take effect at once. Without it, where TOLLGATE_RESOURCES_FROM=operator, the operator of a cluster says what holds',
    )
    .action(async (options: { readonly resources?: string }) => {
      const { runServerProcess } = await import('../server-process/run-server-process.ts');
      await runServerProcess(options, io);
    });
};
