/** The options that every command which asks a running server has. */
import type { Command } from 'commander';
import type { Io } from '../io.ts';
import type { ServerAddress } from '../server/find-server.ts';

export interface ConnectionOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly state?: string;
}

export const withConnection = (command: Command): Command =>
  command
    .option('--server <url>', 'ask the server at this URL (default: the one that --state names; TOLLGATE_SERVER_URL)')
    .option('--token-file <file>', 'file with the bearer token for it (default: as --state names; TOLLGATE_TOKEN_FILE)')
    .option('--state <dir>', 'state directory of the running serve (default: ~/.local/state/tollgate; TOLLGATE_STATE)');

export const connect = async (options: ConnectionOptions, io: Io): Promise<ServerAddress> => {
  const { findServer } = await import('../server/find-server.ts');
  const { stateDirFrom } = await import('../state-option.ts');
  return findServer({
    server: options.server ?? io.env['TOLLGATE_SERVER_URL'],
    tokenFile: options.tokenFile ?? io.env['TOLLGATE_TOKEN_FILE'],
    stateDir: stateDirFrom(options.state, io),
  });
};
