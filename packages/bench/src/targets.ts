/** What is measured: the upstream itself, nginx, Portkey's gateway and Tollgate's proxy, each started on a free port, each pinned to one core. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import getPort from 'get-port';
import { childrenOf } from './process-stats.ts';
import { median } from './statistics.ts';
import type { Endpoint } from './load.ts';

export interface Target {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** The processes whose CPU and memory are the target's own; empty for the upstream alone. */
  readonly pids: readonly number[];
  /** Milliseconds from spawn to the first answer on its port; null where it says nothing. */
  readonly readyMs: number | null;
  /** Tollgate: the whole of `tollgate serve`, database and control plane included. */
  readonly serveReadyMs?: number;
  /** Resolves when nothing of the load is left to do, with the events a second that were recorded meanwhile. */
  catchUp?(): Promise<number | null>;
  stop(): void;
}

const CHAT = '/v1/chat/completions';

/** The target's core; what stands behind it, such as Tollgate's ledger, keeps off it, so that what it does is what one core does. */
const TARGET_CORE = '0';
const OTHER_CORES = cpus().length > 1 ? `1-${String(cpus().length - 1)}` : '0';

const pinned = (command: string, args: readonly string[], cores = TARGET_CORE): [string, string[]] => [
  'taskset',
  ['-c', cores, command, ...args],
];

export const startUpstream = async (): Promise<{ readonly port: number; stop(): void }> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'upstream.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const port = Number(await firstLine(child));
  return { port, stop: () => child.kill() };
};

export const direct = (upstreamPort: number): Target => ({
  name: 'direct',
  endpoint: { port: upstreamPort, path: CHAT, headers: {} },
  pids: [],
  readyMs: null,
  stop: () => undefined,
});

export const startNginx = async (upstreamPort: number, dir: string): Promise<Target> => {
  const port = await getPort();
  const config = join(dir, 'nginx.conf');
  writeFileSync(
    config,
    `worker_processes 1; daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.log;
     events { worker_connections 4096; }
     http { access_log off; keepalive_requests 1000000;
       client_body_temp_path ${dir}/nginx-body; proxy_temp_path ${dir}/nginx-proxy; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
       upstream provider { server 127.0.0.1:${String(upstreamPort)}; keepalive 1024; keepalive_requests 1000000; }
       server { listen 127.0.0.1:${String(port)} backlog=4096; location / { proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_read_timeout 600s; } } }`,
  );
  const child = spawn(...pinned('nginx', ['-c', config, '-p', dir, '-e', join(dir, 'nginx.log')]), {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const readyMs = await untilListening(port, child);
  const pid = child.pid ?? 0;
  return {
    name: 'nginx',
    endpoint: { port, path: CHAT, headers: {} },
    pids: [pid, ...childrenOf(pid)],
    readyMs,
    stop: () => child.kill('SIGQUIT'),
  };
};

export const startPortkey = async (upstreamPort: number): Promise<Target> => {
  const port = await getPort();
  const entry = join(
    resolve(createRequire(import.meta.url).resolve('@portkey-ai/gateway/package.json'), '..'),
    'build',
    'start-server.js',
  );
  const child = spawn(...pinned(process.execPath, [entry, `--port=${String(port)}`, '--headless']), {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const readyMs = await untilListening(port, child);
  const headers = {
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `http://127.0.0.1:${String(upstreamPort)}/v1`,
    Authorization: 'Bearer bench',
  };
  return {
    name: 'portkey',
    endpoint: { port, path: CHAT, headers },
    pids: [child.pid ?? 0],
    readyMs,
    stop: () => child.kill(),
  };
};

/**
 * The whole of Tollgate as a user runs it (`tollgate serve`, a Hard budget in force, every call recorded in its ledger),
 * pointed at the upstream; only the proxy process is pinned and measured.
 */
export const startTollgate = async (upstreamPort: number, dir: string): Promise<Target> => {
  const bundle = resolve(import.meta.dirname, '../../cli/dist/tollgate.js');
  if (!existsSync(bundle)) throw new Error('tollgate is not built: run `make build` first');
  const [port, admin, server] = [await getPort(), await getPort(), await getPort()];
  const resources = join(dir, 'resources');
  mkdirSync(resources, { recursive: true });
  writeFileSync(
    join(resources, 'budget.yaml'),
    'apiVersion: tollgate.dev/v1alpha1\nkind: TokenBudget\nmetadata: {name: bench, namespace: default}\nspec:\n  limits:\n  - {name: money, period: Day, cost: {max: "1000000"}}\n  - {name: calls, period: Day, requests: {max: 1000000000}}\n',
  );
  const state = join(dir, 'state');
  const started = performance.now();
  const ports = ['--port', String(port), '--admin-port', String(admin), '--server-port', String(server)];
  const child = spawn(
    ...pinned(process.execPath, [bundle, 'serve', '--resources', resources, '--state', state, ...ports], OTHER_CORES),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TOLLGATE_UPSTREAM_OPENAI: `http://127.0.0.1:${String(upstreamPort)}/v1` },
    },
  );
  await firstLine(child);
  const serveReadyMs = performance.now() - started;
  const proxy = childrenOf(child.pid ?? 0).find((pid) =>
    readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes('proxy.js'),
  );
  if (proxy === undefined) throw new Error('the proxy process was not found among the children of tollgate serve');
  execFileSync('taskset', ['-a', '-cp', TARGET_CORE, String(proxy)], { stdio: 'ignore' });
  return {
    name: 'tollgate',
    endpoint: { port, path: CHAT, headers: {} },
    pids: [proxy],
    readyMs: await proxyReadyMs(dir),
    serveReadyMs,
    catchUp: () => untilRecorded(admin),
    stop: () => child.kill('SIGTERM'),
  };
};

const STARTS = 5;

/** The proxy alone, from its spawn to its ready line: the median of a few starts without a control plane, as a pod sees it. */
const proxyReadyMs = async (dir: string): Promise<number> => {
  const bundle = resolve(import.meta.dirname, '../../../sidecar/dist/proxy.js');
  const took: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const [port, admin, server] = [await getPort(), await getPort(), await getPort()];
    const started = performance.now();
    const child = spawn(...pinned(process.execPath, [bundle]), {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        ...process.env,
        TOLLGATE_SERVER_URL: `http://127.0.0.1:${String(server)}`,
        TOLLGATE_TOKEN_FILE: join(dir, 'no-token'),
        TOLLGATE_LISTEN: `127.0.0.1:${String(port)}`,
        TOLLGATE_ADMIN_LISTEN: `127.0.0.1:${String(admin)}`,
        TOLLGATE_SPOOL_DIR: join(dir, `spool-${String(start)}`),
      },
    });
    let text = '';
    for await (const piece of child.stdout) if ((text += String(piece)).includes('"msg":"ready"')) break;
    took.push(performance.now() - started);
    child.kill('SIGKILL');
  }
  return median(took);
};

/** As long as the ledger may take for what one round left in the spool. */
const CATCH_UP_MS = 60_000;

const untilRecorded = async (admin: number): Promise<number | null> => {
  const pending = async (): Promise<number> => {
    const page = await (await fetch(`http://127.0.0.1:${String(admin)}/metrics`)).text();
    return Number(/^tollgate_spool_pending_events (\d+)/m.exec(page)?.[1] ?? 0);
  };
  const started = performance.now();
  const first = await pending();
  while ((await pending()) > 0) {
    if (performance.now() - started > CATCH_UP_MS) throw new Error('the ledger did not catch up with a round');
    await new Promise((again) => setTimeout(again, 50));
  }
  // Fewer say nothing: they were on their way already.
  return first < 2_000 ? null : first / ((performance.now() - started) / 1000);
};

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolveLine, reject) => {
    let text = '';
    child.stdout?.on('data', (piece: Buffer) => {
      text += piece.toString();
      const end = text.indexOf('\n');
      if (end >= 0) resolveLine(text.slice(0, end));
    });
    child.once('exit', (code) =>
      reject(new Error(`${child.spawnfile} ended with ${String(code)} before it was ready`)),
    );
    child.once('error', reject);
  });

const untilListening = async (port: number, child: ChildProcess): Promise<number> => {
  const started = performance.now();
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${String(child.exitCode)}`);
    try {
      await fetch(`http://127.0.0.1:${String(port)}/`);
      return performance.now() - started;
    } catch {
      if (performance.now() - started > 30_000) throw new Error(`nothing listens on ${String(port)} after 30 s`);
      await new Promise((again) => setTimeout(again, 5));
    }
  }
};
