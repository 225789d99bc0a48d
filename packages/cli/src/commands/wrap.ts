/** `tollgate wrap --budget 2usd -- COMMAND`: caps what one command may spend, with no cluster and no YAML. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import type { WrapOptions } from '../wrap/wrap.ts';

export const addWrap = (program: Command, io: Io): void => {
  program
    .command('wrap')
    .description('run a command whose calls to language models may cost this much and no more; prints the bill')
    .requiredOption('--budget <amount>', 'most it may spend in US dollars: 2usd, $2, 0.05usd')
    .option('--mock', 'simulated answers (the default when there is no provider key in the environment)')
    .option('--real', 'never simulated answers: fail when there is no provider key')
    .option('--json [file]', 'the bill as one line of JSON, to this file or else to stderr')
    .option('--verbose', 'print what the processes log')
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions()
    .action(async (command: string[], options: WrapOptions) => {
      const { wrap } = await import('../wrap/wrap.ts');
      await wrap(command, options, io);
    });
};
