/** One Redis 7 of the rig's own, and what may happen to it. It keeps nothing on disk but what a fault asks it to. */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import { startProcess, type RunningProcess } from './process.ts';
import { until } from './wait.ts';

export interface RigRedis {
  readonly port: number;
  command(...words: readonly string[]): Promise<string>;
  start(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Writes its contents down, for a later start to find. */
  snapshot(): Promise<void>;
  /** The next start finds what `snapshot` wrote, or nothing. */
  nextStart(finds: 'snapshot' | 'nothing'): void;
  /** All of its contents, as it would write them. */
  dump(): Promise<Buffer>;
  isUp(): Promise<boolean>;
  release(): Promise<void>;
}

const run = promisify(execFile);
const START_MS = 10_000;

export const startRedis = async (folder: string, name: string, password: string): Promise<RigRedis> => {
  const home = join(folder, name);
  mkdirSync(home);
  const port = await getPort();
  const dump = join(home, 'dump.rdb');
  const kept = join(home, 'kept.rdb');
  let server: RunningProcess | null = null;

  const command = async (...words: readonly string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-h', '127.0.0.1', '-p', String(port), '--no-auth-warning', ...words], {
      env: { PATH: process.env['PATH'], REDISCLI_AUTH: password },
      timeout: START_MS,
    });
    return stdout.trim();
  };
  const isUp = (): Promise<boolean> =>
    command('PING').then(
      (answer) => answer === 'PONG',
      () => false,
    );

  const start = async (): Promise<void> => {
    server = startProcess({
      name,
      // prettier-ignore
      command: ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
        '--dir', home, '--requirepass', password, '--masterauth', password, '--maxmemory-policy', 'noeviction',
        '--repl-diskless-load', 'on-empty-db', '--repl-diskless-sync-delay', '0'],
      env: {},
      logFile: join(folder, 'logs', `${name}.log`),
      cwd: home,
    });
    await until(`${name} answers`, START_MS, isUp);
  };
  await start();

  return {
    port,
    command,
    isUp,
    start,
    kill: async () => {
      server?.signal('SIGCONT');
      await server?.kill();
      server = null;
    },
    pause: () => server?.signal('SIGSTOP'),
    resume: () => server?.signal('SIGCONT'),
    snapshot: async () => {
      await command('SAVE');
      copyFileSync(dump, kept);
    },
    nextStart: (finds) => {
      rmSync(dump, { force: true });
      if (finds === 'snapshot' && existsSync(kept)) copyFileSync(kept, dump);
    },
    dump: async () => {
      await command('SAVE');
      return readFileSync(dump);
    },
    release: async () => {
      server?.signal('SIGCONT');
      await server?.kill();
    },
  };
};
