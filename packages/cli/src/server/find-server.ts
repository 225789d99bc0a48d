/** Where the running `tollgate serve` is: told by an option or a variable, else written in the state directory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, EXIT } from '../cli-error.ts';
import { ASK_CLUSTER, START_IT, type ServerWords } from './server-words.ts';

export interface ServerAddress {
  readonly url: string;
  readonly token: string | null;
  /** Without them those of a server at an address. */
  readonly words?: ServerWords;
}

export interface FindServerOptions {
  readonly server?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly stateDir: string;
}

export const findServer = ({ server, tokenFile, stateDir }: FindServerOptions): ServerAddress => {
  const record = readRecord(join(stateDir, 'serve.json'));
  const url = server ?? record?.serverUrl;
  if (url === undefined) {
    throw new CliError(`no running server is written in ${stateDir}`, {
      todo: `${START_IT}; ${ASK_CLUSTER}`,
      exitCode: EXIT.unavailable,
    });
  }
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new CliError(`the server's address is no http or https URL: ${url}`, {
      todo: 'give it as --server http://127.0.0.1:4180',
      exitCode: EXIT.usage,
    });
  }
  const file = tokenFile ?? (server === undefined || server === record?.serverUrl ? record?.tokenFile : undefined);
  return { url: url.replace(/(?<!\/)\/+$/, ''), token: file === undefined ? null : readToken(file) };
};

const readToken = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new CliError(`the token file ${file} cannot be read`, {
      todo: 'run as the user who runs `tollgate serve`, or name another file with --token-file',
      exitCode: EXIT.usage,
      cause,
    });
  }
};

const readRecord = (path: string): { serverUrl: string; tokenFile: string } | null => {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
  return typeof value === 'object' &&
    value !== null &&
    'serverUrl' in value &&
    typeof value.serverUrl === 'string' &&
    'tokenFile' in value &&
    typeof value.tokenFile === 'string'
    ? { serverUrl: value.serverUrl, tokenFile: value.tokenFile }
    : null;
};
