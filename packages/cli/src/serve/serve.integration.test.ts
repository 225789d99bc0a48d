import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testIo } from '../testing/test-io.ts';
import type { TestIo } from '../testing/test-io.ts';

const LIMIT = 120_000;
let dir: string;
let resources: string;
let state: string;
let served: TestIo;
let ended: Promise<number>;
let baseUrl: string;

const budget = (max: number): string => `apiVersion: tollgate.dev/v1alpha1
kind: TokenBudget
metadata: {name: team-a}
spec:
  limits:
  - {name: daily, period: Total, cost: {max: "5"}}
  - {name: calls, period: Total, requests: {max: ${String(max)}}}
`;
const route = `apiVersion: tollgate.dev/v1alpha1
kind: ModelRoute
metadata: {name: chat}
spec:
  rules:
  - name: all
    models: ["gpt-*"]
    backends:
    - {name: main, provider: {type: OpenAI, baseUrl: "https://api.openai.com/v1", credentialsSecretRef: {name: openai, key: api-key}}}
`;

const call = (model = 'gpt-4o-mini'): Promise<Response> =>
  fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer mock' },
    body: JSON.stringify({ model, max_tokens: 32, messages: [{ role: 'user', content: 'Say hello.' }] }),
  });

/** Runs one command against the running serve. */
const ask = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
  const io = testIo({ TOLLGATE_STATE: state });
  const code = await io.tollgate(...argv);
  return { code, out: io.out(), err: io.err() };
};

const serveArgs = (...more: string[]): string[] => [
  'serve',
  ...more,
  '--resources',
  resources,
  '--state',
  state,
  '--port',
  '0',
  '--admin-port',
  '0',
  '--server-port',
  '0',
  '--label',
  'team=search',
];

const start = async (...more: string[]): Promise<void> => {
  served = testIo();
  ended = served.tollgate(...serveArgs(...more));
  await Promise.race([
    served.until(({ out }) => out.includes('Ctrl-C')),
    ended.then((code) => Promise.reject(new Error(`exit ${String(code)}: ${served.err()}`))),
  ]);
  baseUrl = /OPENAI_BASE_URL=(\S+)/.exec(served.out())?.[1] ?? '';
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-serve-'));
  resources = join(dir, 'resources');
  state = join(dir, 'state');
  mkdirSync(resources);
  writeFileSync(join(resources, 'budget.yaml'), budget(100));
  writeFileSync(join(resources, 'route.yaml'), route);
  await start('--mock');
}, LIMIT);

afterAll(async () => {
  served.signal('SIGTERM');
  await ended;
  rmSync(dir, { recursive: true, force: true });
}, LIMIT);

describe('tollgate serve', () => {
  it('prints one ready line and five lines to use, and says that nobody is charged', () => {
    const lines = served.out().trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toContain('MOCK: answers are simulated, nobody is charged');
    expect(served.err()).toContain('in force from');
    expect(served.err()).toContain('1 budget, 1 route');
    expect(served.err()).not.toContain('warning:');
    expect(lines[3]).toContain(` get tokenbudgets --state ${state}`);
  });

  it('says where the simulated provider shows its own bill', async () => {
    const [, bill = ''] = /the simulated provider's own bill: (\S+)/.exec(served.err()) ?? [];
    expect((await fetch(bill)).status).toBe(200);
  });

  it('keeps its token to its user, new at each start', () => {
    expect(statSync(join(state, 'token')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(state, 'serve.json'), 'utf8')).toContain(`"pid": ${String(process.pid)}`);
  });

  it('charges a call, which get, usage and explain then show alike', async () => {
    const answer = await call();
    const body = (await answer.json()) as { usage: { prompt_tokens: number; completion_tokens: number } };
    expect(answer.status).toBe(200);
    const cost = answer.headers.get('x-tollgate-cost-usd') ?? '';
    const requestId = answer.headers.get('x-tollgate-request-id') ?? '';
    let explained = await ask('explain', requestId);
    while (explained.code !== 0) explained = await ask('explain', requestId);
    const shortCost = cost.replace(/(\.\d\d\d*?)0+$/, '$1');
    expect(explained.out).toContain(`charged   $${shortCost}`);
    expect(explained.out).toMatch(new RegExp(`output +${String(body.usage.completion_tokens)} +\\$0\\.60 / 1M`));
    expect(explained.out).toContain('(rounded up once)');
    expect(explained.out).toMatch(/default\/team-a +daily/);
    const json = JSON.parse((await ask('explain', requestId, '-o', 'json')).out);
    expect(json.attempts[0].usage.input).toBe(body.usage.prompt_tokens);

    const table = (await ask('get', 'tokenbudgets')).out.split('\n');
    expect(table[0]).toBe(table[0]?.trimEnd());
    expect(table[0]?.split(/ {3,}/)).toEqual([
      'NAME',
      'ENFORCEMENT',
      'SPENT',
      'LIMIT',
      'USED',
      'BURN/H',
      'EXHAUSTS',
      'READY',
      'AGE',
    ]);
    expect(table[1]).toMatch(/^team-a +Hard +/);
    expect((await ask('get', 'tb', 'team-a', '-o', 'wide')).out).toMatch(/gpt-4o-mini +1 +Enforcing/);
    expect((await ask('usage', '--by', 'model', '--from', '2020-01-01', '--to', '2100-01-01')).out).toMatch(
      /openai\/gpt-4o-mini +1 /,
    );
    expect(JSON.parse((await ask('usage', '-o', 'json')).out).rows).toHaveLength(1);
  });

  it('prints resources as JSON, YAML and names, one or a List', async () => {
    const list = JSON.parse((await ask('get', 'tokenbudgets', '-o', 'json')).out);
    expect([list.kind, list.items[0].status.limits[1].name]).toEqual(['List', 'calls']);
    const one = (await ask('get', 'tokenbudget', 'team-a', '-n', 'default', '-o', 'yaml')).out;
    expect(one).toContain('kind: TokenBudget\n');
    expect((await ask('get', 'mroute', '-o', 'name')).out).toBe('modelroute.tollgate.dev/chat\n');
    expect(await ask('get', 'tb', '-n', 'elsewhere')).toEqual({
      code: 0,
      out: '',
      err: 'No tokenbudgets found in namespace elsewhere.\n',
    });
  });

  it('leads every route to the mock provider, with keys worth nothing', async () => {
    expect((await ask('get', 'modelroutes')).out).toMatch(/chat +gpt-\* +1\/1 +True/);
  });

  it('takes an edited budget without a restart, refuses a bad one with its path, and keeps the former in force', async () => {
    writeFileSync(join(resources, 'budget.yaml'), budget(1));
    await served.until(({ err }) => err.split('in force from').length > 2);
    let refused = await call();
    while (refused.status === 200) refused = await call();
    expect(refused.status).toBe(429);
    writeFileSync(join(resources, 'budget.yaml'), budget(-1));
    await served.until(({ err }) => err.includes('refused, the former manifests stay in force'));
    expect(served.err()).toContain('budget.yaml:7: TokenBudget default/team-a: spec.limits[1].requests.max:');
    expect((await call()).status).toBe(429);
    writeFileSync(join(resources, 'budget.yaml'), budget(1000));
    await served.until(({ err }) => err.includes('are valid again'));
    let allowed = await call();
    while (allowed.status !== 200) allowed = await call();
  });

  it('warns each time that no budget binds its calls any more, and names the budget that has gone', async () => {
    writeFileSync(join(resources, 'budget.yaml'), '');
    await served.until(({ err }) => err.includes('budget.yaml (document 1): file: is empty, but held TokenBudget'));
    expect(served.err()).not.toContain('warning:');
    rmSync(join(resources, 'budget.yaml'));
    await served.until(({ err }) => err.includes('warning: no TokenBudget binds calls of namespace default now'));
    expect(served.err()).toContain('warning: TokenBudget default/team-a is gone');
    expect(served.err()).toContain('--require-budget refuses them');
    const applied = served.err().split('in force from').length;
    writeFileSync(join(resources, 'budget.yaml'), budget(1000));
    await served.until(({ err }) => err.split('in force from').length > applied);
    expect(served.err().split('warning: no TokenBudget')).toHaveLength(2);
  });

  it('starts the proxy again when it dies, on the same port, and loses no charge', async () => {
    const before = await call();
    expect(before.status).toBe(200);
    const admin = /metrics: +(\S+)/.exec(served.out())?.[1] ?? '';
    const proxyPid = await pidListeningOn(new URL(admin).port);
    process.kill(proxyPid, 'SIGKILL');
    let answer: Response | null = null;
    while (answer?.status !== 200) {
      answer = await call().catch(() => null);
      if (answer === null) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const requestId = before.headers.get('x-tollgate-request-id') ?? '';
    let explained = await ask('explain', requestId);
    while (explained.code !== 0) explained = await ask('explain', requestId);
    expect(explained.out).toContain('charged   $');
    await served.until(({ err }) => err.includes('proxy ended, starting it again'));
  });

  it('refuses a second serve of one state directory, and names the process', async () => {
    const second = await ask(...serveArgs('--mock'));
    expect(second.code).toBe(64);
    expect(second.err).toContain(`is in use by process ${String(process.pid)}`);
    expect(second.err).toContain('--state DIR');
  });

  it('refuses a taken port and names the setting; a folder that is not there; bad manifests', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const other = join(dir, 'other-state');
    const inUse = await ask('serve', '--resources', resources, '--state', other, '--port', String(port));
    expect([inUse.code, inUse.err]).toEqual([
      64,
      expect.stringContaining(`port ${String(port)} on 127.0.0.1, wanted for the proxy, is in use`),
    ]);
    expect(inUse.err).toContain('--port PORT');
    const nowhere = await ask('serve', '--resources', join(dir, 'nowhere'), '--state', other);
    expect([nowhere.code, nowhere.err]).toEqual([64, expect.stringContaining('cannot be read (ENOENT)')]);
    const bad = join(dir, 'bad');
    mkdirSync(bad);
    writeFileSync(join(bad, 'b.yaml'), budget(-1));
    const refused = await ask('serve', '--resources', bad, '--state', other);
    expect([refused.code, refused.err]).toEqual([64, expect.stringContaining('b.yaml:7: TokenBudget default/team-a')]);
    expect((await ask('serve', '--resources', resources, '--state', other, '--label', 'nonsense')).err).toContain(
      '--label team=search',
    );
    const noSecrets = await ask('serve', '--resources', resources, '--state', other, '--secrets', join(dir, 'nowhere'));
    expect([noSecrets.code, noSecrets.err]).toEqual([64, expect.stringMatching(/--secrets .*nowhere is no folder/)]);
    const noNamespace = await ask('serve', '--resources', resources, '--state', other, '--namespace', 'Bad_NS');
    expect([noNamespace.code, noNamespace.err]).toEqual([64, expect.stringContaining('--namespace')]);
    await new Promise((resolve) => taken.close(resolve));
    expect(existsSync(join(other, 'serve.lock'))).toBe(false);
  });

  it('warns that a database which is named takes simulated spend too', async () => {
    const args = ['serve', '--resources', resources, '--state', join(dir, 'named'), '--port', '0', '--admin-port', '0'];
    const named = [...args, '--server-port', '0', '--database-url', 'postgres://127.0.0.1:1/none'];
    const words = 'simulated spend too: name one that holds no real spend';
    expect((await ask(...named, '--mock')).err).toContain(words);
    expect((await ask(...named)).err).not.toContain(words);
  });

  it('answers what it does not know with what to do, and without a stack trace', async () => {
    expect(await ask('get', 'pods')).toEqual({
      code: 64,
      out: '',
      err: 'tollgate: unknown kind "pods"\n  use tokenbudgets (tb) or modelroutes (mroute)\n',
    });
    expect((await ask('get', 'tb', 'none', '-n', 'x')).err).toContain(
      'tokenbudgets.tollgate.dev "none" not found in namespace x',
    );
    expect((await ask('get', 'tb', '-o', 'xml')).code).toBe(64);
    expect((await ask('explain', 'no-such-request')).err).toContain(
      'no charge is recorded for request no-such-request',
    );
    expect((await ask('usage', '--from', 'yesterday')).code).toBe(64);
    expect((await ask('usage', '--by', 'colour')).code).toBe(64);
  });

  it(
    'writes all down when it stops, and knows it at the next start',
    async () => {
      const spent = JSON.parse((await ask('usage', '-o', 'json')).out).rows[0];
      served.signal('SIGINT');
      expect(await ended).toBe(0);
      expect(existsSync(join(state, 'serve.json'))).toBe(false);
      expect((await ask('get', 'tb')).code).toBe(69);
      await start('--mock');
      const now = JSON.parse((await ask('usage', '-o', 'json')).out).rows[0];
      expect(BigInt(now.charged)).toBeGreaterThanOrEqual(BigInt(spent.charged));
    },
    LIMIT,
  );

  it(
    'says first and in one line that its database has gone, and stops; spend is there at the next start',
    async () => {
      const charged = async (): Promise<bigint> =>
        BigInt(JSON.parse((await ask('usage', '-o', 'json')).out).rows[0].charged);
      const spent = await charged();
      const before = served.err();
      process.kill(childRunning('pglite-child'), 'SIGKILL');
      expect(await ended).toBe(1);
      expect(served.err().slice(before.length)).toBe(
        'tollgate: the database process has gone, so serve stops; what was spent is kept: start it again\n',
      );
      await start('--mock');
      expect(await charged()).toBeGreaterThanOrEqual(spent);
    },
    LIMIT,
  );

  it(
    'starts real budgets from nothing, whatever a mock has spent in the same state directory',
    async () => {
      const rows = async (): Promise<unknown[]> => JSON.parse((await ask('usage', '-o', 'json')).out).rows;
      expect(await rows()).toHaveLength(1);
      served.signal('SIGTERM');
      expect(await ended).toBe(0);
      await start();
      expect(served.out()).not.toContain('MOCK');
      expect(await rows()).toEqual([]);
    },
    LIMIT,
  );
});

/** The child of this process that runs a program of this name. */
const childRunning = (program: string): number => {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (parent !== String(process.pid)) continue;
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(program)) return Number(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no child runs ${program}`);
};

/** The owner of a listening socket, as /proc tells it. */
const pidListeningOn = async (port: string): Promise<number> => {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((entry) => new RegExp(`0100007F:${hex} 00000000:0000 0A`).test(entry));
  const inode = line?.trim().split(/\s+/)[9] ?? '';
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`))
        if (readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`) return Number(pid);
    } catch {
      // It ended, or is not ours.
    }
  }
  throw new Error(`nobody listens on ${port}`);
};
