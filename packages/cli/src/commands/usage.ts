/** `tollgate usage --by team|model|workload|prompt|day` */
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { withServerAsSeen, withView } from './connection-options.ts';
import type { ViewOptions } from './connection-options.ts';

interface UsageOptions extends ViewOptions {
  readonly by: string;
  readonly from?: string;
  readonly to?: string;
  readonly output?: string;
}

export const addUsage = (program: Command, io: Io): void => {
  withView(
    program
      .command('usage')
      .description('show what was spent, by team, model, workload, prompt or day')
      .addOption(
        new Option('--by <what>', 'group by this')
          .choices(['team', 'model', 'workload', 'prompt', 'day'])
          .default('model'),
      )
      .option('--from <day>', 'first day, as 2026-11-01 (UTC)')
      .option('--to <day>', 'last day, as 2026-11-30 (UTC)')
      .addOption(new Option('-o, --output <format>', 'instead of a table').choices(['json'])),
  ).action(async (options: UsageOptions) => {
    const { askServer } = await import('../server/ask-server.ts');
    const { usageFrom } = await import('../server/usage.ts');
    const { printUsage } = await import('../format/usage-table.ts');
    const query = new URLSearchParams({ by: options.by });
    for (const name of ['from', 'to'] as const) {
      const day = options[name];
      if (day === undefined) continue;
      if (!isDay(day))
        throw new CliError(`--${name} ${day} is no day`, { todo: 'write it as 2026-11-01', exitCode: EXIT.usage });
      query.set(name, day);
    }
    // Days of this form sort as text.
    if (options.from !== undefined && options.to !== undefined && options.from > options.to) {
      throw new CliError(`--from ${options.from} is after --to ${options.to}`, {
        todo: 'give the earlier day as --from',
        exitCode: EXIT.usage,
      });
    }
    const answer = await withServerAsSeen(options, io, (server) => askServer(server, `/v1/usage?${query.toString()}`));
    const lines = usageFrom(answer);
    if (options.output === 'json') io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
    else if (lines.length === 0) io.stderr('No usage is recorded yet.\n');
    else io.stdout(printUsage(options.by, lines));
  });
};

/** Of the calendar: no 31st of November. */
const isDay = (text: string): boolean => {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
};
