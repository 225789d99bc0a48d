/** `tollgate instances list|abandon`: the proxies that may have money in hand, and an end to those that are gone. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { withConnection, withServer } from './connection-options.ts';
import type { ConnectionOptions } from './connection-options.ts';

interface ListOptions extends ConnectionOptions {
  readonly output?: string;
}

interface AbandonOptions extends ConnectionOptions {
  readonly reason: string;
  readonly force?: boolean;
}

export const addInstances = (program: Command, io: Io): void => {
  const group = program
    .command('instances')
    .description('show the proxies that may have money in hand, and give up on one');
  withConnection(
    group
      .command('list')
      .description('show each life of a proxy that has not closed its leases')
      .addOption(new Option('-o, --output <format>', 'instead of a table').choices(['json'])),
  ).action(async (options: ListOptions) => {
    const { askServer } = await import('../server/ask-server.ts');
    const { instancesFrom } = await import('../server/instances.ts');
    const { printInstances } = await import('../format/instance-table.ts');
    const answer = await withServer(options, io, (server) => askServer(server, '/v1/instances'));
    const lines = instancesFrom(answer);
    if (options.output === 'json') io.stdout(`${JSON.stringify(answer, null, 2)}\n`);
    else if (lines.length === 0) io.stderr('No proxy has anything in hand.\n');
    else io.stdout(printInstances(lines, io.now()));
  });
  withConnection(
    group
      .command('abandon')
      .description('give up on a proxy that is gone with its spool: what it took stays charged, as unresolved')
      .argument('<instance>', 'as `tollgate instances list` prints it')
      .requiredOption('--reason <text>', 'why, for those who look later')
      .option('--force', 'even if it is connected: it greets again, and what it holds stays charged all the same'),
  ).action(async (instance: string, options: AbandonOptions) => {
    const { askServer } = await import('../server/ask-server.ts');
    const path = `/v1/instances/${encodeURIComponent(instance)}/abandon${options.force ? '?force=true' : ''}`;
    const answer = await withServer(options, io, (server) => askServer(server, path, { reason: options.reason }));
    if (answer === null) {
      throw new CliError(`no proxy said hello as ${instance}`, { todo: 'see them with: tollgate instances list' });
    }
    io.stderr(`abandoned ${instance}\n`);
  });
};
