/** `tollgate demo …`: what Tollgate does, shown in seconds, with simulated answers. */
import type { Command } from 'commander';
import type { RaceOptions } from '../demo/race.ts';
import type { Io } from '../io.ts';
import { parseWhole } from '../number-options.ts';

export const addDemo = (program: Command, io: Io): void => {
  const demo = program.command('demo').description('show what Tollgate does: no key, no network, no cost');
  demo
    .command('race')
    .description(
      'let runaway agents loose on one budget, behind a gate that checks first and adds afterwards, and behind Tollgate',
    )
    .option('--agents <count>', 'agents behind each gate, 1 to 100', parseWhole, 20)
    .option('--budget <amount>', 'what those of each gate may spend together: 1usd, $1, 0.50usd', '1usd')
    .option('--json', 'print the result as one line of JSON, and nothing else')
    .option('--verbose', 'print what the processes log')
    .action(async (options: RaceOptions) => {
      const { race } = await import('../demo/race.ts');
      await race(options, io);
    });
};
