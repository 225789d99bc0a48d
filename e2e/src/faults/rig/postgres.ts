/** PostgreSQL 15 of the rig's own: on a small disk of its own where we may mount one, stopped, paused and filled at will. */
import { execFile, execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startTcpFaultProxy, type TcpFaultProxy } from '@tollgate/testkit';
import getPort from 'get-port';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { startProcess, type RunningProcess } from './process.ts';
import { until } from './wait.ts';

export interface RigPostgres {
  /** It changes when a standby takes over. */
  port(): number;
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
  /** A second server that follows this one over a link, late if need be. */
  standBy(): Promise<Standby>;
  release(): Promise<void>;
}

export interface Standby {
  /** What is held back here is lost when it takes over. */
  readonly replication: TcpFaultProxy;
  /** The first is stopped at once, and this one is the database from now on. */
  takeOver(): Promise<void>;
}

const BIN = '/usr/lib/postgresql/15/bin';
const run = promisify(execFile);
const MOST_OUTPUT = 512 << 20;
const START_MS = 30_000;
const DISK = '1g';
/** Nothing here outlives the machine, so nothing is synced. */
const SETTINGS = [
  'fsync=off',
  'max_connections=60',
  'shared_buffers=32MB',
  'max_wal_size=64MB',
  'min_wal_size=32MB',
  'log_statement=none',
];

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
  let data = join(home, 'data');
  const passwordFile = join(folder, 'postgres-password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  await run(
    join(BIN, 'initdb'),
    // prettier-ignore
    ['-D', data, '-U', 'tollgate', '-A', 'scram-sha-256', '--pwfile', passwordFile, '--no-sync', '-E', 'UTF8', '--locale=C'],
    { ...(as ?? {}), cwd: home },
  );
  rmSync(passwordFile);
  let port = await getPort();
  const env = { PGPASSWORD: password, PATH: process.env['PATH'] };
  const psqlAt = (at: number, database: string): readonly string[] =>
    `-h 127.0.0.1 -p ${String(at)} -U tollgate -d ${database} -X -q -At -v ON_ERROR_STOP=1`.split(' ');
  const psql = (database: string): readonly string[] => psqlAt(port, database);
  let server: RunningProcess | null = null;

  const isUpAt = (at: number): Promise<boolean> =>
    run(join(BIN, 'psql'), [...psqlAt(at, 'postgres'), '-c', 'SELECT 1'], { env }).then(
      () => true,
      () => false,
    );
  const isUp = (): Promise<boolean> => isUpAt(port);

  const boot = async (from: string, at: number): Promise<RunningProcess> => {
    rmSync(join(from, 'postmaster.pid'), { force: true });
    const started = startProcess({
      name: 'postgres',
      command: [
        ...`${BIN}/postgres -D ${from} -p ${String(at)} -k ${home} -h 127.0.0.1`.split(' '),
        ...SETTINGS.flatMap((setting) => ['-c', setting]),
      ],
      env: {},
      logFile: join(folder, 'logs', 'postgres.log'),
      cwd: home,
      as,
    });
    await until('PostgreSQL answers', START_MS, () => isUpAt(at), 100);
    return started;
  };
  const start = async (): Promise<void> => {
    server = await boot(data, port);
  };
  const stopImmediately = async (): Promise<void> => {
    // SIGQUIT takes its children along; SIGKILL would leave them behind.
    server?.signal('SIGQUIT');
    await server?.exited;
    server = null;
  };

  let standbys = 0;
  const standBy = async (): Promise<Standby> => {
    standbys += 1;
    const primary = port;
    const replication = await startTcpFaultProxy(() => ({ host: '127.0.0.1', port: primary }));
    const copy = join(home, `data-${String(standbys)}`);
    await run(
      join(BIN, 'pg_basebackup'),
      `-h 127.0.0.1 -p ${String(replication.port)} -U tollgate -D ${copy} -R -X stream -c fast -N`.split(' '),
      { ...(as ?? {}), env, cwd: home },
    );
    const own = await getPort();
    const following = await boot(copy, own);
    return {
      replication,
      takeOver: async () => {
        await stopImmediately();
        await replication.stop();
        await run(join(BIN, 'psql'), [...psqlAt(own, 'postgres'), '-c', 'SELECT pg_promote()'], { env });
        rmSync(data, { recursive: true, force: true });
        [data, port, server] = [copy, own, following];
      },
    };
  };
  await start();

  return {
    port: () => port,
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
    stopImmediately,
    standBy,
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
