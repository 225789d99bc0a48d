import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeHttpLedger } from '@tollgate/ledger/http';
import { silentLogger } from '@tollgate/runtime';
import { startPostgres, type TestPostgres } from '@tollgate/store/testing';
import getPort from 'get-port';
import { runServer, type ServerProcess, type ServerProcessOptions } from './run-server.ts';

const budget = (max: string): string => `apiVersion: tollgate.dev/v1alpha1
kind: TokenBudget
metadata: {name: team-a}
spec:
  limits:
  - {name: total, period: Total, cost: {max: "${max}"}}
`;
const SUBJECT = { namespace: 'default', workload: 'local', labels: {}, team: 'default' };
const NEED = { budget: 'default/team-a', limit: 'total', partition: '' };
const TOKEN = 'a-token-of-this-run';

describe('the server process', () => {
  let postgres: TestPostgres;
  let dir: string;
  const running: ServerProcess[] = [];
  beforeAll(async () => {
    postgres = await startPostgres();
    dir = mkdtempSync(join(tmpdir(), 'tollgate-server-'));
    mkdirSync(join(dir, 'resources'));
    writeFileSync(join(dir, 'resources', 'budget.yaml'), budget('5'));
  }, 60_000);
  afterAll(async () => {
    for (const server of running) await server.stop();
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  const start = async (options: Partial<ServerProcessOptions> = {}): Promise<ServerProcess> => {
    const server = await runServer({
      resources: join(dir, 'resources'),
      operator: null,
      databaseUrl: '',
      databaseConnections: 4,
      redisUrl: null,
      waitMs: 0,
      listen: { host: '127.0.0.1', port: 0 },
      tokens: { shared: TOKEN, admin: null, signed: null, kubernetes: null },
      systemNamespace: 'tollgate-system',
      graceMs: 5_000,
      now: Date.now,
      log: silentLogger(),
      ...options,
    });
    running.push(server);
    return server;
  };
  const client = (serverUrl: string) => makeHttpLedger({ serverUrl, token: () => TOKEN, random: () => 0 });

  it('serves one folder of manifests from two processes over one database, and never grants more than the limit', async () => {
    const databaseUrl = await postgres.database();
    const [a, b] = await Promise.all([start({ databaseUrl }), start({ databaseUrl })]);
    const ledgers = [client(a.url), client(b.url)];
    let granted = 0n;
    for (const [at, ledger] of ledgers.entries()) {
      const instance = `proxy-${String(at)}`;
      await ledger.hello({ contract: 1, instance, version: '1', subject: SUBJECT });
      for (let seq = 1; seq <= 3; seq += 1) {
        const answer = await ledger.acquire({
          instance,
          seq,
          needs: [{ ...NEED, need: 1_000_000_000n, prefer: 1_000_000_000n }],
        });
        if (answer.granted) granted += answer.grants.reduce((sum, { amount }) => sum + amount, 0n);
      }
    }
    // Each server fetches ahead: the last dollar may lie in a pool where nobody asks for it.
    expect(granted).toBeLessThanOrEqual(5_000_000_000n);
    expect(granted).toBeGreaterThanOrEqual(3_000_000_000n);
    for (const ledger of ledgers) ledger.close();
    expect(await a.stop()).toMatchObject({ firstError: null, late: [] });
  }, 30_000);

  it('listens once its manifests are in force, so that no proxy hears of none', async () => {
    const port = await getPort();
    const starting = start({ databaseUrl: await postgres.database(), listen: { host: '127.0.0.1', port } });
    let first: string | null = null;
    await until(async () => {
      const headers = { authorization: `Bearer ${TOKEN}`, connection: 'close' };
      const answer = await fetch(`http://127.0.0.1:${String(port)}/v1/budgets`, { headers }).catch(() => null);
      first ??= (await answer?.text()) ?? null;
      return first !== null;
    }, 5);
    expect(first).toContain('team-a');
    await starting;
  }, 30_000);

  it('puts an edit of the folder in force, and keeps the former manifests while they have faults', async () => {
    const server = await start({ databaseUrl: await postgres.database() });
    const maxNow = async (): Promise<unknown> => {
      const answer = await fetch(`${server.url}/v1/budgets`, { headers: { authorization: `Bearer ${TOKEN}` } });
      return JSON.parse(await answer.text(), (key, value: unknown) => (key === 'resource' ? undefined : value));
    };
    expect(await maxNow()).toMatchObject({ budgets: [{ limits: [{ max: '5000000000' }] }] });
    writeFileSync(join(dir, 'resources', 'budget.yaml'), budget('-7'));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await maxNow()).toMatchObject({ budgets: [{ limits: [{ max: '5000000000' }] }] });
    writeFileSync(join(dir, 'resources', 'budget.yaml'), budget('7'));
    await until(async () => JSON.stringify(await maxNow()).includes('7000000000'));
  }, 30_000);

  it('cannot go on once its database has become another one, and says so to its callers and to who keeps it running', async () => {
    const databaseUrl = await postgres.database();
    const server = await start({ databaseUrl });
    const health = async (): Promise<number> => (await fetch(`${server.url}/healthz`)).status;
    expect(await health()).toBe(200);
    await postgres.wipe(databaseUrl);
    expect(await health()).toBe(503);
    expect(await server.broken).toContain('another one, or empty');
    // And not where another server has made its tables anew.
    const next = await start({ databaseUrl });
    expect(await health()).toBe(503);
    const ledger = client(next.url);
    await ledger.hello({ contract: 1, instance: 'proxy-9', version: '1', subject: SUBJECT });
    const needs = [{ ...NEED, need: 1_000n, prefer: 1_000n }];
    expect(await ledger.acquire({ instance: 'proxy-9', seq: 1, needs })).toMatchObject({ granted: true });
    ledger.close();
  }, 30_000);

  it('may be told by the operator of a cluster instead, and has it again after a restart', async () => {
    const databaseUrl = await postgres.database();
    const keys = join(dir, 'keys.json');
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };
    writeFileSync(keys, JSON.stringify({ keys: [jwk] }));
    const signed = {
      keys,
      issuer: 'https://issuer.test',
      ledgerAudience: 'tollgate',
      managementAudience: 'tollgate-management',
    };
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: signed.issuer,
      aud: 'tollgate-management',
      exp: Math.floor(Date.now() / 1000) + 600,
      'kubernetes.io': { namespace: 'tollgate-system', serviceaccount: { name: 'tollgate-operator' } },
    };
    const text = `${part({ alg: 'ES256', kid: 'k' })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const authorization = `Bearer ${text}.${signature.toString('base64url')}`;
    const told: Partial<ServerProcessOptions> = {
      databaseUrl,
      resources: null,
      operator: { namespace: 'tollgate-system', name: 'tollgate-operator' },
      tokens: { shared: null, admin: null, signed, kubernetes: null },
    };
    const server = await start(told);
    const resources = {
      budgets: [
        {
          apiVersion: 'tollgate.dev/v1alpha1',
          kind: 'TokenBudget',
          metadata: { name: 'team-a', namespace: 'shop' },
          spec: { limits: [{ name: 'total', period: 'Total', cost: { max: '5' } }] },
        },
      ],
      routes: [],
      inferenceServices: [],
      namespaces: { shop: { labels: { env: 'prod' } } },
    };
    const put = await fetch(`${server.url}/v1/resources`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(resources),
    });
    expect([put.status, await put.json()]).toEqual([200, { version: expect.any(String) }]);
    await server.stop();
    const again = await start(told);
    const budgets = await (await fetch(`${again.url}/v1/budgets`, { headers: { authorization } })).text();
    expect(budgets).toContain('team-a');
  }, 30_000);

  it('is a process that says when it is ready, answers to its token, and ends well when told to', async () => {
    const tokenFile = join(dir, 'token');
    writeFileSync(tokenFile, `${TOKEN}\n`);
    const child = spawn(
      process.execPath,
      ['--conditions=source', MAIN, 'server', '--resources', join(dir, 'resources')],
      {
        env: {
          ...process.env,
          DATABASE_URL: await postgres.database(),
          TOLLGATE_LISTEN: '127.0.0.1:0',
          TOLLGATE_TOKEN_FILE: tokenFile,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    const exited = once(child, 'exit');
    const ready = (): string | undefined => lines.find((line) => line.includes('"msg":"ready"'));
    await until(() => Promise.resolve(ready() !== undefined));
    const { url } = JSON.parse(ready() ?? '') as { url: string };
    const answer = await fetch(new URL('/v1/budgets', url), { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(answer.status).toBe(200);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ process: 'server' });
  }, 60_000);

  it('ends with 64 and every fault where its settings are wrong', async () => {
    writeFileSync(join(dir, 'empty'), '');
    const run = async (env: Record<string, string>): Promise<readonly [number | null, string]> => {
      const child = spawn(process.execPath, ['--conditions=source', MAIN, 'server', '--resources', dir], {
        env: { PATH: process.env['PATH'], NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'], ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (piece: Buffer) => (said += piece.toString()));
      const [code] = (await once(child, 'exit')) as [number | null];
      return [code, said];
    };
    expect(await run({ TOLLGATE_LISTEN: 'nowhere' })).toEqual([
      64,
      expect.stringMatching(/DATABASE_URL[^]*TOLLGATE_LISTEN[^]*TOLLGATE_TOKEN_FILE/),
    ]);
    expect(await run({ DATABASE_URL: 'postgres://x@127.0.0.1:1/x', TOLLGATE_TOKEN_FILE: join(dir, 'empty') })).toEqual([
      64,
      expect.stringContaining('is empty or cannot be read'),
    ]);
  }, 60_000);

  it('says what keeps it from starting: a folder with faults, a database that is not there, an address in use', async () => {
    mkdirSync(join(dir, 'bad'));
    writeFileSync(join(dir, 'bad', 'budget.yaml'), budget('-1'));
    const databaseUrl = await postgres.database();
    await expect(start({ databaseUrl, resources: join(dir, 'bad') })).rejects.toMatchObject({ code: 'resources' });
    await expect(start({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none' })).rejects.toMatchObject({
      code: 'config',
    });
    const server = await start({ databaseUrl });
    const port = Number(new URL(server.url).port);
    await expect(start({ databaseUrl, listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'port-in-use',
    });
  }, 30_000);
});

const MAIN = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));

const until = async (claim: () => Promise<boolean>, everyMs = 50): Promise<void> => {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += everyMs) {
    if (await claim()) return;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error('it did not come to pass');
};
