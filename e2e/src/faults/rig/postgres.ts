/** PostgreSQL 15 of the rig's own: on a small disk of its own where we may mount one, stopped, paused and filled at will. */
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { startProcess, type RunningProcess } from './process.ts';
import { until } from './wait.ts';

export interface RigPostgres {
  readonly port: number;
  readonly password: string;
  /** Whether its disk is one that can be filled without harm to others. */
  readonly hasOwnDisk: boolean;
  createDatabase(name: string): Promise<void>;
  /** Rows as JSON; the text may hold several statements, of which the last is the question. */
  query<Row>(database: string, sql: string): Promise<readonly Row[]>;
  /** Runs psql in the background, for locks and such; its end is awaited by `done`. */
  session(database: string, sql: string): { readonly done: Promise<void>; kill(): void };
  dump(database: string): Promise<Buffer>;
  isUp(): Promise<boolean>;
  start(): Promise<void>;
  /** As a crash: no checkpoint, connections cut. */
  stopImmediately(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Leaves less than a page free, until `freeDisk`. */
  fillDisk(): void;
  freeDisk(): void;
  release(): Promise<void>;
}

const BIN = '/usr/lib/postgresql/15/bin';
const run = promisify(execFile);
const MOST_OUTPUT = 512 << 20;
const START_MS = 30_000;
const DISK = '1g';

export const startPostgres = async (folder: string, password: string): Promise<RigPostgres> => {
  const home = join(folder, 'postgres');
  mkdirSync(home, { mode: 0o700 });
  const disk = mountSmallDisk(home, DISK);
  try {
    return await startOn(folder, home, disk, password);
  } catch (error) {
    disk.release();
    throw error;
  }
};

const startOn = async (folder: string, home: string, disk: SmallDisk, password: string): Promise<RigPostgres> => {
  const as = serverOwner();
  if (as !== null) chownSync(home, as.uid, as.gid);
  const data = join(home, 'data');
  const passwordFile = join(folder, 'postgres-password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  await run(
    join(BIN, 'initdb'),
    // prettier-ignore
    ['-D', data, '-U', 'tollgate', '-A', 'scram-sha-256', '--pwfile', passwordFile, '--no-sync', '-E', 'UTF8', '--locale=C'],
    { ...(as ?? {}), cwd: home },
  );
  rmSync(passwordFile);
  const port = await freePort();
  const env = { PGPASSWORD: password, PATH: process.env['PATH'] };
  const psql = (database: string): readonly string[] => [
    // prettier-ignore
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-U',
    'tollgate',
    '-d',
    database,
    '-X',
    '-q',
    '-At',
    '-v',
    'ON_ERROR_STOP=1',
  ];
  let server: RunningProcess | null = null;

  const isUp = (): Promise<boolean> =>
    run(join(BIN, 'psql'), [...psql('postgres'), '-c', 'SELECT 1'], { env }).then(
      () => true,
      () => false,
    );

  const start = async (): Promise<void> => {
    rmSync(join(data, 'postmaster.pid'), { force: true });
    server = startProcess({
      name: 'postgres',
      // prettier-ignore
      command: [join(BIN, 'postgres'), '-D', data, '-p', String(port), '-k', home, '-h', '127.0.0.1',
        ...['fsync=off', 'max_connections=60', 'shared_buffers=32MB', 'max_wal_size=64MB', 'min_wal_size=32MB',
          'log_statement=none'].flatMap((setting) => ['-c', setting])],
      env: {},
      logFile: join(folder, 'logs', 'postgres.log'),
      cwd: home,
      as,
    });
    await until('PostgreSQL answers', START_MS, isUp, 100);
  };
  await start();

  return {
    port,
    password,
    hasOwnDisk: disk.isOwn,
    isUp,
    start,
    createDatabase: async (name) => {
      await run(join(BIN, 'psql'), [...psql('postgres'), '-c', `CREATE DATABASE ${name}`], { env });
    },
    query: async <Row>(database: string, sql: string): Promise<readonly Row[]> => {
      const text = `SELECT coalesce(json_agg(answer), '[]') FROM (${sql}) AS answer`;
      const { stdout } = await run(join(BIN, 'psql'), [...psql(database), '-c', text], {
        env,
        maxBuffer: MOST_OUTPUT,
      });
      return JSON.parse(stdout) as readonly Row[];
    },
    session: (database, sql) => {
      const child = execFile(join(BIN, 'psql'), [...psql(database), '-c', sql], { env });
      const done = new Promise<void>((resolve) => child.once('close', () => resolve()));
      return { done, kill: () => void child.kill('SIGKILL') };
    },
    dump: async (database) => {
      const { stdout } = await run(
        join(BIN, 'pg_dump'),
        ['-h', '127.0.0.1', '-p', String(port), '-U', 'tollgate', '-d', database],
        { env, maxBuffer: MOST_OUTPUT, encoding: 'buffer' },
      );
      return stdout;
    },
    stopImmediately: async () => {
      // SIGQUIT takes its children along; SIGKILL would leave them behind.
      server?.signal('SIGQUIT');
      await server?.exited;
      server = null;
    },
    pause: () => {
      if (server === null) return;
      // First the one that makes others.
      for (const pid of [server.pid, ...childrenOf(server.pid)]) send(pid, 'SIGSTOP');
    },
    resume: () => {
      if (server === null) return;
      for (const pid of [...childrenOf(server.pid), server.pid]) send(pid, 'SIGCONT');
    },
    fillDisk: disk.fill,
    freeDisk: disk.free,
    release: async () => {
      server?.signal('SIGCONT');
      server?.signal('SIGQUIT');
      await server?.exited;
      disk.release();
    },
  };
};

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // A backend that ended meanwhile.
  }
};

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);

/** PostgreSQL refuses to run as root: then as the user that its package made. */
const serverOwner = (): { uid: number; gid: number } | null => {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }).trim());
  return { uid: id('-u'), gid: id('-g') };
};
