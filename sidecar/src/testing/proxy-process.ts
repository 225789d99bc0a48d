/** The proxy as a process of its own, run from its source, so that a test can see what it takes of memory and time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Snapshot } from '@tollgate/api';
import { startMockProvider, type MockPrices, type MockProvider } from '@tollgate/testkit';
import { makeMemoryControlPlane, type MemoryControlPlane } from './memory-control-plane.ts';
import { serveControlPlane } from './http-control-plane.ts';

export interface ProxyProcess {
  readonly url: string;
  readonly adminUrl: string;
  readonly mock: MockProvider;
  readonly controlPlane: MemoryControlPlane;
  /** How many bytes of memory it had more at any time of the work than before it. */
  growthDuring(work: () => Promise<void>): Promise<number>;
  /** The longest turn of its event loop during the work, as a multiple of what parsing 4 MiB of small objects takes it. */
  stallDuring(work: () => Promise<void>): Promise<number>;
  /** Everything that it wrote, line by line. */
  readonly output: readonly string[];
  stop(): Promise<void>;
}

export interface ProcessOptions {
  readonly snapshot: Snapshot;
  readonly prices: MockPrices;
  readonly env?: Readonly<Record<string, string>>;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const PAGE_BYTES = 4096;
/**
 * Loaded before the proxy: between two messages it looks at the processor time of each turn of the event loop. The clock
 * on the wall would count what other processes take as well; and how far a millisecond goes is another on each machine
 * and in each minute, so it is told in units of a work that is done before and after. That work parses 64 KiB often and
 * not 4 MiB once, so that it leaves the process no larger.
 */
const WATCH = `data:text/javascript,${encodeURIComponent(`
const spent = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1000; };
const piece = JSON.stringify(Array.from({ length: 4096 }, () => ({ role: 'user' })));
const unit = () => {
  const before = spent();
  for (let parsed = 0; parsed < 4 * 1024 * 1024; parsed += piece.length) JSON.parse(piece);
  return spent() - before;
};
for (let warm = 0; warm < 5; warm += 1) unit();
let longest = 0, last = 0, before = 0, watching = false;
const turn = () => {
  const now = spent();
  longest = Math.max(longest, now - last);
  last = now;
  if (watching) setImmediate(turn);
};
process.on('message', (message) => {
  if (message === 'watch') { before = unit(); longest = 0; last = spent(); watching = true; turn(); }
  else { watching = false; process.send(longest / ((before + unit()) / 2)); }
});
process.channel.unref();
`)}`;

export const startProxyProcess = async ({ snapshot, prices, env = {} }: ProcessOptions): Promise<ProxyProcess> => {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-proxy-process-'));
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, 'token');
  const mock = await startMockProvider({ prices });
  const controlPlane = await makeMemoryControlPlane(snapshot);
  const server = await serveControlPlane(controlPlane);
  const child = spawn(process.execPath, ['--conditions=source', '--import', WATCH, MAIN], {
    env: {
      TOLLGATE_SERVER_URL: server.url,
      TOLLGATE_TOKEN_FILE: tokenFile,
      TOLLGATE_SPOOL_DIR: join(dir, 'spool'),
      TOLLGATE_LISTEN: '127.0.0.1:0',
      TOLLGATE_ADMIN_LISTEN: '127.0.0.1:0',
      TOLLGATE_UPSTREAM_OPENAI: `${mock.url}/v1`,
      TOLLGATE_UPSTREAM_TAKES_KEYS: 'true',
      TOLLGATE_ALLOW_PRIVATE_UPSTREAMS: 'true',
      TOLLGATE_GRACE_MS: '5000',
      // Its memory and its stalls are measured: a coverage run must not count in them (empty = off).
      NODE_V8_COVERAGE: '',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exited = once(child, 'exit');
  const output: string[] = [];
  let rest = '';
  const ready = new Promise<{ readonly url: string; readonly address: string }>((resolve, reject) => {
    const take = (piece: Buffer): void => {
      const lines = (rest + piece.toString()).split('\n');
      rest = lines.pop() ?? '';
      output.push(...lines);
      const line = lines.find((each) => each.includes('"msg":"ready"'));
      if (line !== undefined) resolve(JSON.parse(line) as { url: string; address: string });
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', () => {
      reject(new Error(`the proxy did not start: ${output.join('\n')}${rest}`));
    });
  });
  const { url, address } = await ready;
  const resident = (): number => {
    const pages = readFileSync(`/proc/${String(child.pid)}/statm`, 'utf8').split(' ')[1];
    return Number(pages) * PAGE_BYTES;
  };
  return {
    url,
    adminUrl: address,
    mock,
    controlPlane,
    async growthDuring(work) {
      const before = resident();
      let most = before;
      const look = setInterval(() => {
        most = Math.max(most, resident());
      }, 5);
      await work().finally(() => clearInterval(look));
      return Math.max(most, resident()) - before;
    },
    async stallDuring(work) {
      child.send('watch');
      await work();
      const said = once(child, 'message');
      child.send('tell');
      const [longest] = (await said) as [number];
      return longest;
    },
    output,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await server.stop();
      await mock.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
