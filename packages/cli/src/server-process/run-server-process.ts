/** `tollgate server`: settings first, then everything that is opened, then one line that says where it listens. */
import { readFileSync } from 'node:fs';
import { ConfigFault, VERSION, makeLogger } from '@tollgate/runtime';
import { runServer } from '@tollgate/standalone';
import { CliError, EXIT } from '../cli-error.ts';
import { CommandExit } from '../command-exit.ts';
import type { Io } from '../io.ts';
import { untilStopped } from '../until-stopped.ts';
import { readServerSettings, type ServerSettings } from './settings.ts';

export const runServerProcess = async ({ resources }: { readonly resources?: string }, io: Io): Promise<void> => {
  const settings = settingsFrom(io);
  const { logLevel, tokenFile, adminTokenFile, signed, kubernetes, resourcesFrom, ...rest } = settings;
  const folder = folderFrom(resources, resourcesFrom);
  const log = makeLogger({ process: 'server', level: logLevel, version: VERSION, to: { write: io.stdout } });
  const stopped = untilStopped(io);
  const server = await runServer({
    ...rest,
    resources: folder,
    tokens: {
      shared: tokenFile === null ? null : readToken(tokenFile),
      admin: adminTokenFile === null ? null : readToken(adminTokenFile),
      signed,
      kubernetes,
    },
    now: io.now,
    log,
  });
  log.info({ url: server.url, pid: io.pid }, 'ready');
  const why = await Promise.race([stopped.then(() => null), server.broken]);
  if (why === null) log.info({}, 'stopping');
  else log.error({ reason: why }, 'cannot go on, and ends to be started anew');
  const { firstError, late } = await server.stop();
  if (firstError !== null) log.error({ err: firstError.error, step: firstError.name }, 'a release failed');
  if (late.length > 0) log.warn({ late }, 'stopped with work left over');
  if (why !== null || firstError !== null || late.length > 0) throw new CommandExit(EXIT.failed);
};

/** Null: the operator says what holds. */
const folderFrom = (resources: string | undefined, from: ServerSettings['resourcesFrom']): string | null => {
  if (from === 'folder' && resources !== undefined) return resources;
  if (from === 'operator' && resources === undefined) return null;
  throw new CliError(
    resources === undefined
      ? 'nothing says which budgets and routes hold'
      : 'both a folder and the operator are to say which budgets and routes hold',
    { todo: 'name a folder with --resources, or set TOLLGATE_RESOURCES_FROM=operator', exitCode: EXIT.usage },
  );
};

const settingsFrom = ({ env }: Io): ServerSettings => {
  try {
    return readServerSettings(env);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    throw new CliError(error.message, {
      todo: 'set them in the environment, in .env, or in the file that TOLLGATE_CONFIG names',
      exitCode: EXIT.usage,
    });
  }
};

const readToken = (file: string): string => {
  const token = tokenIn(file);
  if (token !== '') return token;
  throw new CliError(`the token file ${file} is empty or cannot be read`, {
    todo: 'write a random token to it; proxies and people send the same one',
    exitCode: EXIT.usage,
  });
};

const tokenIn = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
};
