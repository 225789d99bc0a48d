import { execFile, spawn } from 'node:child_process';
import { access, chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import pg from 'pg';

/** A throw-away PostgreSQL cluster for integration tests: loopback, a free port, gone when stopped. */
export interface TestPostgres {
  /** A new, empty database in the cluster. */
  database(): Promise<string>;
  /** Empties a database of this cluster, as the loss of its disk would. */
  wipe(database: string): Promise<void>;
  /** Stops at once, as a crash would, and starts again over the same data. */
  crash(): Promise<void>;
  /** Stops at once, and stays stopped until told to start over the same data. */
  halt(): Promise<{ start(): Promise<void> }>;
  stop(): Promise<void>;
}

const BIN = '/usr/lib/postgresql/15/bin';
const run = promisify(execFile);

/** `more`: arguments of the server's own; of two that set the same, the last holds. */
export const startPostgres = async (more: readonly string[] = []): Promise<TestPostgres> => {
  await access(join(BIN, 'initdb')).catch((cause: unknown) => {
    throw new Error(`no PostgreSQL 15 in ${BIN}: run "apt-get install postgresql-15"`, { cause });
  });
  const owner = await serverOwner();
  const home = await mkdtemp(join(tmpdir(), 'tollgate-pg-'));
  await chmod(home, 0o700);
  if (owner) await chown(home, owner.uid, owner.gid);
  const data = join(home, 'data');
  const as = owner ?? {};
  await run(
    join(BIN, 'initdb'),
    ['-D', data, '-U', 'tollgate', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    { ...as, cwd: home },
  );
  const port = await getPort();

  const boot = async (): Promise<() => Promise<void>> => {
    const server = spawn(
      join(BIN, 'postgres'),
      [
        '-D',
        data,
        '-p',
        String(port),
        '-k',
        home,
        '-h',
        '127.0.0.1',
        '-c',
        'fsync=off',
        '-c',
        'max_connections=60',
        '-c',
        'shared_buffers=32MB',
        ...more,
      ],
      { ...as, cwd: home, stdio: 'ignore' },
    );
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    await answers(port);
    return async () => {
      // SIGQUIT: immediate shutdown, no checkpoint. SIGKILL would leave the children behind.
      server.kill('SIGQUIT');
      await ended;
    };
  };

  let halt = await boot();
  let databases = 0;
  const url = (name: string): string => `postgres://tollgate@127.0.0.1:${String(port)}/${name}`;
  return {
    database: async () => {
      databases += 1;
      const name = `test_${String(databases)}`;
      const client = new pg.Client({ connectionString: url('postgres') });
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return url(name);
    },
    wipe: async (database) => {
      const client = new pg.Client({ connectionString: database });
      await client.connect();
      await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
      await client.end();
    },
    crash: async () => {
      await halt();
      halt = await boot();
    },
    halt: async () => {
      await halt();
      halt = () => Promise.resolve();
      return {
        start: async () => {
          halt = await boot();
        },
      };
    },
    stop: async () => {
      await halt();
      await rm(home, { recursive: true, force: true });
    },
  };
};

/** PostgreSQL refuses to run as root: then as the user that its package made. */
const serverOwner = async (): Promise<{ uid: number; gid: number } | null> => {
  if (process.getuid?.() !== 0) return null;
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'postgres'])).stdout.trim());
  return { uid: await id('-u'), gid: await id('-g') };
};

const answers = async (port: number): Promise<void> => {
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString: `postgres://tollgate@127.0.0.1:${String(port)}/postgres` });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (cause) {
      if (attempt === 200) throw new Error('PostgreSQL did not start within 20 s', { cause });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
};
