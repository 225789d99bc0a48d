/** What the measurements share: a database with fsync, Redis, a token, the budgets, an upstream; all gone at the end. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@tollgate/store/testing';
import { childrenOf } from '../process-stats.ts';
import { startUpstream } from '../targets.ts';
import { startRedis, startServer, stopAll } from './processes.ts';
import type { Running } from './processes.ts';

export interface World {
  readonly dir: string;
  readonly rounds: number;
  /** How much of a measurement's usual count: 1, or less for a trial. */
  readonly scale: number;
  readonly token: string;
  readonly tokenFile: string;
  readonly upstreamPort: number;
  readonly redis: Running;
  readonly postgresPid: number;
  /** A server over a database of its own; the pool in its memory, or in Redis. */
  server(pool: 'memory' | 'redis'): Promise<Running>;
  serverWithDatabase(pool: 'memory' | 'redis'): Promise<{ readonly server: Running; readonly databaseUrl: string }>;
  /** Writes the manifest of the $20 budget anew, with another maximum. */
  setTightBudget(max: string): void;
  say(text: string): void;
  close(): Promise<void>;
}

/** Each namespace has one budget: the $20 of the goal, one that is leased once, one with four limits, one for the rest. */
export const BUDGETS = {
  tight: [{ name: 'cost', period: 'Day', cost: { max: '20' } }],
  rich: [{ name: 'cost', period: 'Day', cost: { max: '9000000' } }],
  four: [
    { name: 'cost', period: 'Day', cost: { max: '9000000' } },
    { name: 'month', period: 'Month', cost: { max: '9000000' } },
    { name: 'tokens', period: 'Day', tokens: { max: 9_000_000_000_000 } },
    { name: 'calls', period: 'Day', requests: { max: 9_000_000_000_000 } },
  ],
} as const;
export type BudgetName = keyof typeof BUDGETS;

export const openWorld = async (options: Pick<World, 'rounds' | 'scale' | 'say'>): Promise<World> => {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-bench-ledger-'));
  const releases: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    await stopAll();
    for (let release = releases.pop(); release !== undefined; release = releases.pop()) await release();
  };
  try {
    const token = 'bench-token-of-no-worth-0123456789abcdef';
    const tokenFile = join(dir, 'token');
    writeFileSync(tokenFile, token, { mode: 0o600 });
    const resources = join(dir, 'resources');
    mkdirSync(resources);
    writeManifests(resources, BUDGETS);
    const postgres = await startPostgres(['-c', 'fsync=on', '-c', 'shared_buffers=256MB', '-c', 'max_wal_size=4GB']);
    releases.push(() => postgres.stop());
    const redis = await startRedis(dir);
    releases.push(() => redis.stop());
    const upstream = await startUpstream();
    releases.push(() => upstream.stop());
    const serverWithDatabase: World['serverWithDatabase'] = async (pool) => {
      const databaseUrl = await postgres.database();
      const redisUrl = pool === 'redis' ? redis.url : null;
      return { databaseUrl, server: await startServer({ resources, databaseUrl, tokenFile, redisUrl }) };
    };
    return {
      ...options,
      dir,
      token,
      tokenFile,
      upstreamPort: upstream.port,
      redis,
      postgresPid: postgresPid(),
      server: async (pool) => (await serverWithDatabase(pool)).server,
      serverWithDatabase,
      setTightBudget: (max) =>
        writeManifests(resources, { ...BUDGETS, tight: [{ name: 'cost', period: 'Day', cost: { max } }] }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** The one child of ours that is a database. */
const postgresPid = (): number =>
  childrenOf(process.pid).find((pid) => readFileSync(`/proc/${String(pid)}/comm`, 'utf8').startsWith('postgres')) ?? 0;

const writeManifests = (folder: string, budgets: Readonly<Record<BudgetName, readonly object[]>>): void => {
  const texts = Object.entries(budgets).map(([namespace, limits]) =>
    JSON.stringify({
      apiVersion: 'tollgate.dev/v1alpha1',
      kind: 'TokenBudget',
      metadata: { name: 'bench', namespace },
      spec: { enforcement: 'Hard', limits },
    }),
  );
  writeFileSync(join(folder, 'budgets.yaml'), texts.join('\n---\n'));
};
