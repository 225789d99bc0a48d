/** `tollgate version` */
import type { Command } from 'commander';
import type { Io } from '../io.ts';

export const addVersion = (program: Command, io: Io): void => {
  program
    .command('version')
    .description('print the version of this command')
    .action(async () => {
      const { VERSION } = await import('@tollgate/runtime');
      io.stdout(`${VERSION}\n`);
    });
};
