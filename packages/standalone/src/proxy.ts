/** The proxy as a child process that is kept running: it says hello and leases over loopback like any sidecar. */
import type { Subject } from '@tollgate/api';
import { startChild } from './process/child-process.ts';
import type { Child, ChildExit } from './process/child-process.ts';
import { keepRunning } from './process/keep-running.ts';
import type { ProxyUpstreams } from './policy/mock-snapshot.ts';

export interface ProxyOptions {
  readonly command: readonly string[];
  readonly preload: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly serverUrl: string;
  readonly tokenFile: string;
  readonly port: number;
  readonly adminPort: number;
  readonly spoolDir: string;
  readonly subject: Subject;
  readonly secretsDir: string | null;
  readonly upstreams: ProxyUpstreams;
  readonly requireBudget: boolean;
  readonly graceMs: number;
  readonly onLine: (line: string) => void;
  readonly onExit: (exit: ChildExit, retryInMs: number) => void;
  readonly onFailedStart: (error: unknown, retryInMs: number) => void;
  readonly onReady: (pid: number) => void;
}

export interface Proxy {
  readonly url: string;
  readonly adminUrl: string;
  pid(): number | null;
  stop(graceMs: number): Promise<void>;
}

/** It is ready in a quarter of a second; a busy machine may take many times that. */
const READY_MS = 30_000;

export const startProxyChild = async (options: ProxyOptions): Promise<Proxy> => {
  const { command, preload, env, port, adminPort, onLine, onExit, onFailedStart, onReady } = options;
  const [executable = '', ...args] = command;
  const start = (): Promise<Child> =>
    startChild({
      name: 'proxy',
      command: [executable, '--import', preload, ...args],
      env: { ...ONE_ARENA, ...env, ...proxySettings(options) },
      onLine,
      readyMs: READY_MS,
    });
  const kept = await keepRunning({ start, onExit, onFailedStart, onReady: ({ pid }) => onReady(pid) });
  return {
    url: `http://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    pid: () => kept.current()?.pid ?? null,
    stop: (graceMs) => kept.stop(graceMs),
  };
};

/**
 * glibc gives V8's helper threads memory of their own, and keeps it: measured under load, 9 to 21 MiB more resident memory for
 * no less CPU.
 */
const ONE_ARENA = { MALLOC_ARENA_MAX: '1' };

const proxySettings = (options: ProxyOptions): Readonly<Record<string, string | undefined>> => ({
  TOLLGATE_SERVER_URL: options.serverUrl,
  TOLLGATE_TOKEN_FILE: options.tokenFile,
  TOLLGATE_LISTEN: `127.0.0.1:${options.port}`,
  TOLLGATE_ADMIN_LISTEN: `127.0.0.1:${options.adminPort}`,
  TOLLGATE_SPOOL_DIR: options.spoolDir,
  TOLLGATE_SUBJECT: JSON.stringify(options.subject),
  TOLLGATE_SECRETS_DIR: options.secretsDir ?? undefined,
  TOLLGATE_UPSTREAM_OPENAI: options.upstreams.openai ?? options.env['TOLLGATE_UPSTREAM_OPENAI'],
  TOLLGATE_UPSTREAM_ANTHROPIC: options.upstreams.anthropic ?? options.env['TOLLGATE_UPSTREAM_ANTHROPIC'],
  TOLLGATE_UPSTREAM_GEMINI: options.upstreams.gemini ?? options.env['TOLLGATE_UPSTREAM_GEMINI'],
  TOLLGATE_UPSTREAM_AZURE: options.upstreams.azure ?? options.env['TOLLGATE_UPSTREAM_AZURE'],
  // Whoever set them runs the proxy, and holds its keys.
  TOLLGATE_UPSTREAM_TAKES_KEYS: 'true',
  TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true',
  TOLLGATE_REQUIRE_BUDGET: String(options.requireBudget),
  // Its ready line is one of this level; who starts it chooses which lines to show.
  TOLLGATE_LOG_LEVEL: options.env['TOLLGATE_LOG_LEVEL'] === 'debug' ? 'debug' : 'info',
  TOLLGATE_GRACE_MS: String(options.graceMs),
});
