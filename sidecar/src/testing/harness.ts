/** A whole proxy on loopback for a test: real sockets, real spool, the mock provider behind it, the control plane in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileDisk, openSpool } from '@tollgate/ledger/spool';
import { readEnv, silentLogger, type Logger, type ReleaseReport } from '@tollgate/runtime';
import { startMockProvider, type MockPrices, type MockProvider } from '@tollgate/testkit';
import type { Snapshot } from '@tollgate/api';
import type { LedgerEvent } from '@tollgate/ledger';
import { readConfig } from '../config.ts';
import { startProxy, type RunningProxy } from '../start-proxy.ts';
import { makeMemoryControlPlane, type MemoryControlPlane } from './memory-control-plane.ts';
import { aSnapshot } from './objects.ts';

export interface Harness {
  readonly url: string;
  readonly adminUrl: string;
  readonly port: number;
  readonly mock: MockProvider;
  readonly controlPlane: MemoryControlPlane;
  readonly proxy: RunningProxy;
  readonly spoolDir: string;
  /** Resolves once so many events were delivered. */
  events(count: number): Promise<readonly LedgerEvent[]>;
  /** Moves the ledger's clock and the proxy's on, as time would. */
  advance(ms: number): void;
  /** Writes events of an earlier life into the spool, up to this part of its bound. */
  fillSpool(share: number): void;
  /** Stops the proxy, and starts its next life on the same spool; what became of the first. */
  restart(between?: { readonly while: () => void }): Promise<ReleaseReport>;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  readonly snapshot?: Snapshot;
  readonly env?: Readonly<Record<string, string>>;
  readonly prices?: MockPrices;
  /** Azure: which model a deployment of the mock runs. */
  readonly deployments?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
  /** The control plane cannot be reached when the proxy starts. */
  readonly startsAlone?: boolean;
  /** What the ledger's clock shows at the start; the present by default. */
  readonly ledgerTime?: string;
  /** Counts tokens; the real one by default. */
  readonly tokenizerWorker?: URL | null;
  /** The machine's clock. */
  readonly now?: () => number;
  /** Where all providers are; the mock by default. */
  readonly upstream?: string;
}

/** Of a call that cost nothing. */
const FILLING: Omit<LedgerEvent, 'instance' | 'seq'> = {
  requestId: 'filling',
  attempt: 1,
  subject: { namespace: 'default', workload: 'filling', labels: {}, team: 'default' },
  user: null,
  promptId: null,
  promptVersion: null,
  route: null,
  backend: null,
  provider: 'openai',
  format: 'openai-chat',
  modelAsked: null,
  modelSent: null,
  modelAnswered: null,
  usage: {},
  settle: 'void',
  held: 0n,
  charged: 0n,
  priceVersion: null,
  priceRow: null,
  unproven: false,
  stream: false,
  status: null,
  startedAt: 0,
  endedAt: 0,
  counters: [],
};

let instances = 0;

export const startHarness = async ({
  snapshot = aSnapshot(),
  env = {},
  prices = {},
  deployments = {},
  logger = silentLogger(),
  startsAlone = false,
  ledgerTime,
  tokenizerWorker = null,
  now = Date.now,
  upstream,
}: HarnessOptions = {}): Promise<Harness> => {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-proxy-'));
  const mock = await startMockProvider({ prices, deployments });
  let ahead = 0;
  const begin = ledgerTime === undefined ? 0 : Date.parse(ledgerTime) - Date.now();
  const ledgerClock = (): number => Date.now() + begin + ahead;
  const controlPlane = await makeMemoryControlPlane(snapshot, ledgerClock);
  controlPlane.setDown(startsAlone);
  const base = upstream ?? mock.url;
  const settings = {
    TOLLGATE_TOKEN_FILE: join(dir, 'token'),
    TOLLGATE_SPOOL_DIR: join(dir, 'spool'),
    TOLLGATE_LISTEN: '127.0.0.1:0',
    TOLLGATE_ADMIN_LISTEN: '127.0.0.1:0',
    TOLLGATE_UPSTREAM_OPENAI: `${base}/v1`,
    TOLLGATE_UPSTREAM_ANTHROPIC: base,
    TOLLGATE_UPSTREAM_GEMINI: base,
    TOLLGATE_UPSTREAM_AZURE: base,
    TOLLGATE_UPSTREAM_TAKES_KEYS: 'true',
    TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true',
    TOLLGATE_GRACE_MS: '5000',
    ...env,
  };
  const config = readEnv(settings, readConfig);
  const launch = async () => {
    const disk = openFileDisk(config.spoolDir);
    const spool = openSpool({ disk, maxBytes: config.spoolBytes });
    const proxy = await startProxy({
      spool,
      config,
      controlPlane,
      tokenizerWorker,
      version: 'test',
      logger,
      instance: `test-${String(process.pid)}-${String((instances += 1))}`,
      now,
      clock: () => performance.now() + ahead,
      random: Math.random,
      env: settings,
    });
    return { disk, spool, proxy };
  };
  let life = await launch();
  const end = async (): Promise<ReleaseReport> => {
    const report = await life.proxy.stop();
    life.spool.close();
    life.disk.close();
    return report;
  };
  return {
    get url() {
      return life.proxy.url;
    },
    get adminUrl() {
      return life.proxy.adminUrl;
    },
    get port() {
      return Number(new URL(life.proxy.url).port);
    },
    get proxy() {
      return life.proxy;
    },
    mock,
    controlPlane,
    spoolDir: config.spoolDir,
    advance: (ms) => {
      ahead += ms;
      controlPlane.ping();
    },
    fillSpool: (share) => {
      const { spool } = life;
      for (let seq = 1; spool.stats().bytes < spool.stats().maxBytes * share; seq += 1)
        spool.settle({ ...FILLING, instance: 'filling', seq });
    },
    restart: async (between) => {
      const report = await end();
      between?.while();
      life = await launch();
      return report;
    },
    events: async (count) => {
      const deadline = performance.now() + 5_000;
      while (controlPlane.events.length < count) {
        if (performance.now() > deadline)
          throw new Error(`${String(controlPlane.events.length)} of ${String(count)} events after 5 s`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return controlPlane.events;
    },
    stop: async () => {
      await end();
      await mock.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
