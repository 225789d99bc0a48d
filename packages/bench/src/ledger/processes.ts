/** The processes that the ledger's bench measures: `tollgate server`, proxies and Redis, each on a free port. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join, resolve } from 'node:path';
import getPort from 'get-port';
import { untilListening } from '../until-listening.ts';

const children = new Set<ChildProcess>();

/** Whatever a measurement that was broken off left running. */
export const stopAll = async (): Promise<void> => {
  await Promise.all([...children].map(ended));
};

export interface Running {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly resources: string;
  readonly databaseUrl: string;
  readonly tokenFile: string;
  /** Null: the pool lives in the server's memory. */
  readonly redisUrl: string | null;
}

export const startServer = ({ resources, databaseUrl, tokenFile, redisUrl }: ServerOptions): Promise<Running> =>
  startReady([bundle('packages/cli/dist/tollgate.js'), 'server', '--resources', resources], {
    DATABASE_URL: databaseUrl,
    TOLLGATE_TOKEN_FILE: tokenFile,
    TOLLGATE_LISTEN: '127.0.0.1:0',
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
  });

export interface ProxyOptions {
  readonly serverUrl: string;
  readonly tokenFile: string;
  readonly namespace: string;
  readonly upstreamPort: number;
  readonly dir: string;
}

export const startProxy = ({ serverUrl, tokenFile, namespace, upstreamPort, dir }: ProxyOptions): Promise<Running> => {
  const spool = join(dir, `spool-${namespace}`);
  mkdirSync(spool, { recursive: true });
  return startReady(['--max-semi-space-size=8', bundle('sidecar/dist/proxy.js')], {
    TOLLGATE_SERVER_URL: serverUrl,
    TOLLGATE_TOKEN_FILE: tokenFile,
    TOLLGATE_LISTEN: '127.0.0.1:0',
    TOLLGATE_ADMIN_LISTEN: '127.0.0.1:0',
    TOLLGATE_SPOOL_DIR: spool,
    TOLLGATE_SUBJECT: JSON.stringify({ namespace, workload: 'bench', labels: {}, team: namespace }),
    TOLLGATE_UPSTREAM_OPENAI: `http://127.0.0.1:${String(upstreamPort)}/v1`,
    TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true',
    TOLLGATE_REQUIRE_BUDGET: 'true',
  });
};

export const startRedis = async (dir: string): Promise<Running> => {
  const port = await getPort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
  const child = spawn('redis-server', [...args, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' });
  children.add(child);
  await untilListening(port, child);
  return { pid: child.pid ?? 0, url: `redis://127.0.0.1:${String(port)}`, stop: () => ended(child) };
};

const bundle = (path: string): string => {
  const file = resolve(import.meta.dirname, '../../../..', path);
  if (!existsSync(file)) throw new Error(`${path} is not built: run \`make build\` first`);
  return file;
};

/** Resolves at the line `{"msg":"ready","url":…}`. */
const startReady = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Running> => {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], TZ: 'UTC', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const words: string[] = [];
  const ready = new Promise<string>((found, failed) => {
    const look = (line: string): void => {
      words.push(line);
      if (!line.includes('"msg":"ready"')) return;
      const fields: unknown = JSON.parse(line);
      if (typeof fields === 'object' && fields !== null && 'url' in fields)
        found(String(fields.url).replace(/\/$/, ''));
    };
    createInterface({ input: child.stdout }).on('line', look);
    createInterface({ input: child.stderr }).on('line', look);
    child.once('error', failed);
    child.once('exit', (code) => {
      failed(
        new Error(`${args.join(' ')} ended with ${String(code)} before it was ready:\n${words.slice(-12).join('\n')}`),
      );
    });
  });
  return { url: await ready, pid: child.pid ?? 0, stop: () => ended(child) };
};

const GRACE_MS = 10_000;

const ended = async (child: ChildProcess): Promise<void> => {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await exited;
  clearTimeout(timer);
};
