import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import getPort from 'get-port';

/** A private redis-server for integration tests: loopback, a free port, nothing on disk unless asked, gone when stopped. */
export interface TestRedis {
  readonly port: number;
  readonly url: string;
  pid(): number;
  /** kill -9: what was in memory is gone. */
  kill(): Promise<void>;
  /** After `kill`, on the same port; with what lies in its folder (`dump.rdb`, by SAVE), or with nothing. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  /** Its folder: a `dump.rdb` there is loaded at each start. Default: one of its own, removed at the end. */
  readonly dir?: string;
  /** A port that is known to be free. */
  readonly port?: number;
  /** Further settings, such as `['--maxmemory-policy', 'allkeys-lru']`. */
  readonly settings?: readonly string[];
}

const FOLDERS = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];
const TRIES = 5;

export const startRedis = async ({ dir, port: given, settings = [] }: TestRedisOptions = {}): Promise<TestRedis> => {
  const program = findServer();
  const home = dir ?? (await mkdtemp(join(tmpdir(), 'tollgate-redis-')));
  let child: ChildProcess | null = null;

  const boot = async (port: number): Promise<boolean> => {
    const started = spawn(
      program,
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', home, ...settings],
      { stdio: 'ignore' },
    );
    child = started;
    const ended = new Promise<false>((resolve) => {
      started.once('error', () => resolve(false));
      started.once('exit', () => resolve(false));
    });
    return Promise.race([ended, answers(port).then(() => true)]);
  };

  let port = given ?? (await getPort());
  for (let tries = 1; !(await boot(port)); tries += 1) {
    if (tries === TRIES) throw new Error(`${program} did not start`);
    port = given ?? (await getPort());
  }

  const signal = (name: NodeJS.Signals): void => {
    child?.kill(name);
  };
  const end = async (name: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = null;
    if (ending?.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(name);
    await ended;
  };

  return {
    port,
    url: `redis://127.0.0.1:${String(port)}`,
    pid: () => child?.pid ?? 0,
    kill: () => end('SIGKILL'),
    start: async () => {
      if (!(await boot(port))) throw new Error(`${program} did not start again on its port`);
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    stop: async () => {
      // Nothing to save, and one that is paused hears nothing else.
      await end('SIGKILL');
      if (dir === undefined) await rm(home, { recursive: true, force: true });
    },
  };
};

const findServer = (): string => {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...FOLDERS];
  const found = folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path));
  if (found) return found;
  throw new Error('no redis-server: run "packages/devtools/src/prerequisites.sh redis", or install Redis 7 or later');
};

const answers = async (port: number): Promise<void> => {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await pongs(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('redis-server did not answer within 10 s');
};

const pongs = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('error', () => settle(false));
    socket.once('data', (data) => settle(data.toString().startsWith('+PONG')));
    socket.setTimeout(1_000, () => settle(false));
  });
