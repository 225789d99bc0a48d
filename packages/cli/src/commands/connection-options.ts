/** The options that every command which asks a running server has, and how it comes to that server. */
import { InvalidArgumentError, type Command } from 'commander';
import { CliError, EXIT } from '../cli-error.ts';
import type { Io } from '../io.ts';
import { parseNamespace } from '../namespace-option.ts';
import type { TargetOptions } from '../server/choose-target.ts';
import type { ServerAddress } from '../server/find-server.ts';
import { loadCluster, withCluster, withSystemNamespace } from './cluster-options.ts';

export type ConnectionOptions = TargetOptions;

/** Of the commands that can show the affairs of one namespace. */
export interface ViewOptions extends ConnectionOptions {
  readonly namespace?: string;
}

export const withConnection = (command: Command): Command =>
  withSystemNamespace(
    withCluster(
      command
        .option(
          '--server <url>',
          'ask the server at this URL (default: the one that --state names; TOLLGATE_SERVER_URL)',
        )
        .option(
          '--token-file <file>',
          'file with the bearer token for it (default: as --state names; TOLLGATE_TOKEN_FILE)',
        )
        .option(
          '--state <dir>',
          'state directory of the running serve (default: ~/.local/state/tollgate; TOLLGATE_STATE)',
        ),
    ),
  ).option(
    '--service-account <name>',
    'in a cluster: whose token is asked for (default: that of "default")',
    parseAccount,
  );

export const withView = (command: Command): Command =>
  withConnection(
    command.option(
      '-n, --namespace <namespace>',
      'in a cluster: as this namespace sees it (default: all)',
      parseNamespace,
    ),
  );

/** As Kubernetes names ServiceAccounts (RFC 1123). */
const parseAccount = (text: string): string => {
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text))
    throw new InvalidArgumentError('Name a ServiceAccount, without its namespace: that is the one of -n.');
  return text;
};

/** Finds the server, lets it be asked, and closes the way to it. */
export const withServer = async <T>(
  options: ViewOptions,
  io: Io,
  work: (server: ServerAddress) => Promise<T>,
): Promise<T> => {
  const { chooseTarget } = await import('../server/choose-target.ts');
  if (chooseTarget(options, io) === 'cluster') {
    const { withClusterServer } = await loadCluster();
    return withClusterServer(options, io, work);
  }
  const { findServer } = await import('../server/find-server.ts');
  const { stateDirFrom } = await import('../state-option.ts');
  return work(
    findServer({
      server: options.server ?? io.env['TOLLGATE_SERVER_URL'],
      tokenFile: options.tokenFile ?? io.env['TOLLGATE_TOKEN_FILE'],
      stateDir: stateDirFrom(options.state, io),
    }),
  );
};

/** For the commands that cannot narrow by themselves what a server answers: in a cluster the account decides what it shows. */
export const withServerAsSeen: typeof withServer = async (options, io, work) => {
  const { chooseTarget } = await import('../server/choose-target.ts');
  if (options.namespace !== undefined && chooseTarget(options, io) !== 'cluster') {
    throw new CliError('-n asks the server of a cluster as that namespace sees it, and this is none of a cluster', {
      todo: 'leave it out, or ask a cluster: kubectl tollgate, or --context NAME',
      exitCode: EXIT.usage,
    });
  }
  return withServer(options, io, work);
};
