/** One `tollgate server`, behind links of its own to PostgreSQL and Redis. */
import { join } from 'node:path';
import { startTcpFaultProxy, type Endpoint, type TcpFaultProxy } from '@tollgate/testkit';
import { makeClock, type RigClock } from './clock.ts';
import type { RigPostgres } from './postgres.ts';
import { startProcess, type ProcessExit, type RunningProcess } from './process.ts';

export interface RigServer {
  readonly name: string;
  readonly clock: RigClock;
  readonly toPostgres: TcpFaultProxy;
  readonly toRedis: TcpFaultProxy;
  /** Which Redis it talks to; null = none is there. */
  useRedis(port: number | null): void;
  /** Where it listens; null while it does not run. */
  endpoint(): Endpoint | null;
  process(): RunningProcess | null;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** True = it went by itself. */
  stop(): Promise<boolean>;
  /** Ends that nobody asked for. */
  readonly deaths: readonly ProcessExit[];
  release(): Promise<void>;
}

export interface ServerOptions {
  readonly name: string;
  readonly folder: string;
  readonly program: string;
  readonly resources: string;
  readonly tokenFile: string;
  readonly database: string;
  readonly postgres: Pick<RigPostgres, 'port' | 'password'>;
  /** Null: balances lie in the server's own memory. */
  readonly redis: { readonly port: number; readonly password: string } | null;
}

const READY_MS = 30_000;
const GRACE_MS = 15_000;

export const makeRigServer = async (options: ServerOptions): Promise<RigServer> => {
  const { name, folder, program, resources, tokenFile, database, postgres, redis } = options;
  const clock = makeClock(join(folder, `${name}.clock`));
  let redisPort = redis?.port ?? null;
  const toPostgres = await startTcpFaultProxy(() => ({ host: '127.0.0.1', port: postgres.port() }));
  const toRedis = await startTcpFaultProxy(() => (redisPort === null ? null : { host: '127.0.0.1', port: redisPort }));
  const deaths: ProcessExit[] = [];
  let running: RunningProcess | null = null;
  let listens: Endpoint | null = null;

  const end = async (how: (process: RunningProcess) => Promise<boolean>): Promise<boolean> => {
    const process = running;
    running = null;
    listens = null;
    if (process === null) return true;
    process.signal('SIGCONT');
    return how(process);
  };
  const kill = async (): Promise<void> => {
    await end(async (process) => {
      await process.kill();
      return true;
    });
  };
  const stop = (): Promise<boolean> => end((process) => process.stop(GRACE_MS + 5_000));

  const start = async (): Promise<void> => {
    if (running?.isAlive() === true) return;
    const started = startProcess({
      name,
      command: [process.execPath, '--enable-source-maps', program, 'server', '--resources', resources],
      env: {
        ...clock.env,
        DATABASE_URL: `postgres://tollgate:${postgres.password}@127.0.0.1:${String(toPostgres.port)}/${database}`,
        ...(redis === null ? {} : { REDIS_URL: `redis://:${redis.password}@127.0.0.1:${String(toRedis.port)}/0` }),
        TOLLGATE_LISTEN: '127.0.0.1:0',
        TOLLGATE_TOKEN_FILE: tokenFile,
        TOLLGATE_GRACE_MS: String(GRACE_MS),
        HOME: folder,
      },
      logFile: join(folder, 'logs', `${name}.log`),
      cwd: folder,
    });
    running = started;
    void started.exited.then((exit) => {
      if (running !== started) return;
      deaths.push(exit);
      running = null;
      listens = null;
    });
    const { url } = await started.ready(READY_MS);
    listens = { host: '127.0.0.1', port: Number(new URL(String(url)).port) };
  };

  return {
    name,
    clock,
    toPostgres,
    toRedis,
    useRedis: (port) => {
      redisPort = port;
      toRedis.cutAll();
    },
    endpoint: () => listens,
    process: () => running,
    start,
    kill,
    stop,
    deaths,
    release: async () => {
      await kill();
      await toPostgres.stop();
      await toRedis.stop();
    },
  };
};
