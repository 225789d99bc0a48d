/** The files of one standalone instance. Everything in it is private to the user: it holds a token and the record of spend. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from '@tollgate/ledger/spool';
import { errorCode, errorMessage } from '../error-code.ts';
import { StandaloneError } from '../standalone-error.ts';

export interface StateDir {
  readonly root: string;
  readonly database: string;
  readonly spool: string;
  readonly tokenFile: string;
  readonly serveFile: string;
  readonly mockSecrets: string;
}

/** What `tollgate get` and `explain` need to find a running `serve`. */
export interface ServeRecord {
  readonly serverUrl: string;
  readonly proxyUrl: string;
  readonly adminUrl: string;
  readonly pid: number;
  readonly tokenFile: string;
}

/** Simulated money has a database and a spool of its own: no real budget ever starts with what a mock has spent. */
export const stateDirOf = (path: string, { isMock }: { readonly isMock: boolean }): StateDir => {
  const root = resolve(path);
  const money = isMock ? join(root, 'mock') : root;
  return {
    root,
    database: join(money, 'database'),
    spool: join(money, 'spool'),
    tokenFile: join(root, 'token'),
    serveFile: join(root, 'serve.json'),
    mockSecrets: join(root, 'mock', 'secrets'),
  };
};

/** `${XDG_STATE_HOME:-~/.local/state}/tollgate` */
export const defaultStatePath = (env: Readonly<Record<string, string | undefined>>, home: string): string =>
  join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'tollgate');

export const makeStateDir = (state: StateDir): void => {
  try {
    for (const dir of [state.root, state.spool]) makeFolder(dir);
  } catch (cause) {
    const why = errorCode(cause) ?? errorMessage(cause);
    throw new StandaloneError('config', `the state directory ${state.root} cannot be made (${why})`, {
      todo: 'name one that this user may write, with --state DIR',
      cause,
    });
  }
};

/** A new token at each start: an old one that leaked opens nothing. */
export const writeToken = (state: StateDir): string => {
  const token = randomBytes(32).toString('base64url');
  writePrivate(state.tokenFile, token);
  return token;
};

/** Written last, when everything answers; removed first on the way down. Returns its removal. */
export const writeServeRecord = (state: StateDir, record: ServeRecord): (() => void) => {
  writePrivate(state.serveFile, `${JSON.stringify(record, null, 2)}\n`);
  return () => rmSync(state.serveFile, { force: true });
};

const writePrivate = (path: string, text: string): void => {
  // By rename: a reader sees the old file or the new one, and the mode holds though the file was there before.
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, path);
};
