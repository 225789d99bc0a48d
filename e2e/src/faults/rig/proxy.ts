/** One proxy with its spool, behind links of its own to the servers and to the provider. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTcpFaultProxy, type Endpoint, type TcpFaultProxy } from '@tollgate/testkit';
import { makeClock, type RigClock } from './clock.ts';
import type { CrashPlan } from './crash-at.ts';
import type { Namespace } from './manifests.ts';
import { mountSmallDisk } from './small-disk.ts';
import { startProcess, type ProcessExit, type RunningProcess } from './process.ts';

export interface RigProxy {
  readonly name: string;
  readonly namespace: Namespace;
  readonly clock: RigClock;
  readonly toServer: TcpFaultProxy;
  readonly toProvider: TcpFaultProxy;
  readonly spoolDir: string;
  /** What it shows to the servers; read anew for each question. */
  useToken(token: string): void;
  /** Whether its spool is on a disk of its own, which can be full. */
  readonly hasOwnDisk: boolean;
  fillDisk(): void;
  freeDisk(): void;
  /** Somebody else answers in the servers' place; null = they do again. */
  useServer(other: Endpoint | null): void;
  /** Null while it does not run. */
  url(): string | null;
  adminUrl(): string | null;
  process(): RunningProcess | null;
  start(how?: ProxyStart): Promise<void>;
  kill(): Promise<void>;
  /** True = it went by itself, with all of its work done. */
  stop(): Promise<boolean>;
  /** From now on it dies at this point of its work; resolves when it has. */
  crashAt(plan: CrashPlan): Promise<void>;
  /** Ends that nobody asked for. */
  readonly deaths: readonly ProcessExit[];
  release(): Promise<void>;
}

export interface ProxyStart {
  /** Put before the command: `prlimit`, with what it limits. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly spoolDir?: string;
}

export interface RigProxyOptions {
  readonly name: string;
  readonly namespace: Namespace;
  readonly folder: string;
  readonly program: string;
  readonly token: string;
  readonly server: () => Endpoint | null;
  readonly provider: Endpoint;
}

const READY_MS = 30_000;
const GRACE_MS = 15_000;
const CRASH_AT = new URL('crash-at.ts', import.meta.url).href;

export const makeRigProxy = async (options: RigProxyOptions): Promise<RigProxy> => {
  const { name, namespace, folder, program, token, server, provider } = options;
  const tokenFile = join(folder, `${name}.token`);
  writeFileSync(tokenFile, token);
  const clock = makeClock(join(folder, `${name}.clock`));
  let instead: Endpoint | null = null;
  const toServer = await startTcpFaultProxy(() => instead ?? server());
  const toProvider = await startTcpFaultProxy(() => provider);
  const home = join(folder, 'spools', name);
  mkdirSync(home);
  const disk = mountSmallDisk(home, '8m');
  // Below the disk, as a volume's folder is: what fills the disk lies beside it.
  const spoolDir = join(home, 'spool');
  const crashPlan = join(folder, `${name}.crash`);
  const deaths: ProcessExit[] = [];
  let running: RunningProcess | null = null;
  let urls: { readonly url: string; readonly adminUrl: string } | null = null;
  let isToCrash = false;

  const end = async (how: (process: RunningProcess) => Promise<boolean>): Promise<boolean> => {
    const process = running;
    running = null;
    urls = null;
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

  const start = async ({ under = [], env = {}, spoolDir: at = spoolDir }: ProxyStart = {}): Promise<void> => {
    if (running?.isAlive() === true) return;
    isToCrash = false;
    const started = startProcess({
      name,
      command: [...under, process.execPath, '--enable-source-maps', '--import', CRASH_AT, program],
      env: {
        ...clock.env,
        TOLLGATE_SERVER_URL: `http://127.0.0.1:${String(toServer.port)}`,
        TOLLGATE_TOKEN_FILE: tokenFile,
        TOLLGATE_SPOOL_DIR: at,
        TOLLGATE_LISTEN: '127.0.0.1:0',
        TOLLGATE_ADMIN_LISTEN: '127.0.0.1:0',
        TOLLGATE_SUBJECT: JSON.stringify({
          namespace,
          workload: name,
          pod: `${name}-pod`,
          labels: {},
          team: namespace,
        }),
        TOLLGATE_UPSTREAM_OPENAI: `http://127.0.0.1:${String(toProvider.port)}/v1`,
        TOLLGATE_UPSTREAM_ANTHROPIC: `http://127.0.0.1:${String(toProvider.port)}`,
        TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true',
        TOLLGATE_FIRST_BYTE_TIMEOUT_MS: '8000',
        TOLLGATE_IDLE_TIMEOUT_MS: '6000',
        TOLLGATE_MAX_SPOOL_BYTES: String(2 << 20),
        TOLLGATE_GRACE_MS: String(GRACE_MS),
        FAULT_CRASH_PLAN: crashPlan,
        HOME: folder,
        ...env,
      },
      logFile: join(folder, 'logs', `${name}.log`),
      cwd: folder,
    });
    running = started;
    void started.exited.then((exit) => {
      if (running !== started) return;
      if (!isToCrash || exit.signal !== 'SIGKILL') deaths.push(exit);
      running = null;
      urls = null;
    });
    const { url, address } = await started.ready(READY_MS);
    urls = { url: new URL(String(url)).origin, adminUrl: new URL(String(address)).origin };
  };

  return {
    name,
    namespace,
    clock,
    toServer,
    toProvider,
    spoolDir,
    useServer: (other) => {
      instead = other;
      toServer.cutAll();
    },
    useToken: (next) => writeFileSync(tokenFile, next),
    hasOwnDisk: disk.isOwn,
    fillDisk: disk.fill,
    freeDisk: disk.free,
    url: () => urls?.url ?? null,
    adminUrl: () => urls?.adminUrl ?? null,
    process: () => running,
    start,
    kill,
    stop: () => end((process) => process.stop(GRACE_MS + 5_000)),
    crashAt: async (plan) => {
      const dying = running;
      if (dying === null) return;
      isToCrash = true;
      writeFileSync(crashPlan, JSON.stringify(plan));
      dying.signal('SIGUSR2');
      await dying.exited;
    },
    deaths,
    release: async () => {
      await kill();
      await toServer.stop();
      await toProvider.stop();
      disk.release();
    },
  };
};
