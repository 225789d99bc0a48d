/** `tollgate unresolved list|release`: what lost proxies took, charged until somebody gives it back. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { withConnection, withServer } from './connection-options.ts';
import type { ConnectionOptions } from './connection-options.ts';

interface ListOptions extends ConnectionOptions {
  readonly output?: string;
}

interface ReleaseOptions extends ConnectionOptions {
  readonly reason: string;
}

export const addUnresolved = (program: Command, io: Io): void => {
  const group = program
    .command('unresolved')
    .description('show and give back what nobody can account for: a proxy was lost with its spool');
  withConnection(
    group
      .command('list')
      .description('show what is unresolved; it stays charged to its budgets')
      .addOption(new Option('-o, --output <format>', 'instead of a table').choices(['json'])),
  ).action(async (options: ListOptions) => {
    const { askServer } = await import('../server/ask-server.ts');
    const { unresolvedFrom } = await import('../server/unresolved.ts');
    const { printUnresolved } = await import('../format/unresolved-table.ts');
    const answer = await withServer(options, io, (server) => askServer(server, '/v1/unresolved'));
    const lines = unresolvedFrom(answer);
    if (options.output === 'json') io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
    else if (lines.length === 0) io.stderr('Nothing is unresolved.\n');
    else io.stdout(printUnresolved(lines, io.now()));
  });
  withConnection(
    group
      .command('release')
      .description('give an unresolved amount back to its budget, once it is known that it was not spent')
      .argument('<id>', 'as `tollgate unresolved list` prints it')
      .requiredOption('--reason <text>', 'why, for those who look later'),
  ).action(async (id: string, options: ReleaseOptions) => {
    const { askServer } = await import('../server/ask-server.ts');
    const path = `/v1/unresolved/${encodeURIComponent(id)}/release`;
    const answer = await withServer(options, io, (server) => askServer(server, path, { reason: options.reason }));
    if (answer === null) {
      throw new CliError(`nothing is unresolved by the id ${id}`, {
        todo: 'see the ids with: tollgate unresolved list',
      });
    }
    io.stderr(`released ${id}\n`);
  });
};
