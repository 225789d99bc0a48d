/** All that a round needs: PostgreSQL, Redis, servers, proxies and the provider, with a link that can fail between any two. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIST_PRICES, startMockProvider, type Endpoint, type MockProvider } from '@tollgate/testkit';
import { NAMESPACES, writeManifests, type BudgetSizes } from './manifests.ts';
import { startPostgres, type RigPostgres } from './postgres.ts';
import { makeRigProxy, type RigProxy } from './proxy.ts';
import { startRedisPair, type RedisPair } from './redis-pair.ts';
import { makeSecrets, type RigSecrets } from './secrets.ts';
import { makeRigServer, type RigServer } from './server.ts';

export interface Rig {
  readonly folder: string;
  readonly resources: string;
  readonly secrets: RigSecrets;
  readonly postgres: RigPostgres;
  readonly database: string;
  /** Null: the server keeps its pool in its own memory. */
  readonly redis: RedisPair | null;
  readonly servers: readonly RigServer[];
  readonly proxies: readonly RigProxy[];
  readonly provider: MockProvider;
  /** Ends everything; the folder stays. */
  release(): Promise<void>;
}

export interface RigOptions {
  readonly folder: string;
  readonly root: string;
  readonly seed: number;
  readonly servers: number;
  readonly proxies: number;
  readonly hasRedis: boolean;
  readonly budgets: BudgetSizes;
}

const DATABASE = 'ledger';

export const startRig = async (options: RigOptions): Promise<Rig> => {
  const { folder, root, seed, hasRedis } = options;
  const releases: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    for (const each of releases.splice(0).reverse()) await each();
  };
  try {
    const resources = join(folder, 'resources');
    for (const each of ['logs', 'spools', 'programs', 'resources']) mkdirSync(join(folder, each), { recursive: true });
    writeManifests(resources, options.budgets);
    // Copies: whoever builds meanwhile changes nothing under a running process.
    const program = (from: string, name: string): string => {
      const to = join(folder, 'programs', name);
      copyFileSync(join(root, from), to);
      return to;
    };
    const proxyProgram = program('sidecar/dist/proxy.js', 'proxy.js');
    program('sidecar/dist/tokenizer-worker.js', 'tokenizer-worker.js');
    const serverProgram = program('packages/cli/dist/tollgate.js', 'tollgate.js');
    writeFileSync(join(folder, 'programs', 'package.json'), '{"type":"module"}');

    const secrets = makeSecrets();
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, secrets.token);
    const provider = await startMockProvider({ seed, prices: LIST_PRICES });
    releases.push(() => provider.stop());
    const postgres = await startPostgres(folder, secrets.postgres);
    releases.push(() => postgres.release());
    await postgres.createDatabase(DATABASE);
    const redis = hasRedis ? await startRedisPair(folder, secrets.redis) : null;
    if (redis !== null) releases.push(() => redis.release());

    const servers: RigServer[] = [];
    for (let index = 0; index < options.servers; index += 1) {
      const server = await makeRigServer({
        name: `server-${String(index)}`,
        folder,
        program: serverProgram,
        resources,
        tokenFile,
        database: DATABASE,
        postgres,
        redis: redis === null ? null : { port: redis.primary().port, password: secrets.redis },
      });
      servers.push(server);
      releases.push(() => server.release());
      await server.start();
    }

    let turn = 0;
    /** As a Service does: any of those that run, in turn. */
    const anyServer = (): Endpoint | null => {
      const up = servers.map((server) => server.endpoint()).filter((endpoint) => endpoint !== null);
      turn += 1;
      return up[turn % up.length] ?? null;
    };
    const proxies: RigProxy[] = [];
    for (let index = 0; index < options.proxies; index += 1) {
      const proxy = await makeRigProxy({
        name: `proxy-${String(index)}`,
        namespace: NAMESPACES[index % NAMESPACES.length] ?? 'apps',
        folder,
        program: proxyProgram,
        token: secrets.token,
        server: anyServer,
        provider: { host: '127.0.0.1', port: provider.port },
      });
      proxies.push(proxy);
      releases.push(() => proxy.release());
    }
    await Promise.all(proxies.map((proxy) => proxy.start()));
    return { folder, resources, secrets, postgres, database: DATABASE, redis, servers, proxies, provider, release };
  } catch (error) {
    await release();
    throw error;
  }
};
