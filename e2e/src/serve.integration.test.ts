/** The second story: serve a folder of manifests on this machine, call it, look at the budgets, edit a manifest. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from './testing/programs.ts';
import { runTollgate, type RunningTollgate } from './testing/run-tollgate.ts';

const LIMIT_MS = 180_000;
/** Design: a manifest edited takes effect in less than two seconds; a busy machine is given five. */
const EFFECT_MS = 5_000;

let home: string;
let manifest: string;
let served: RunningTollgate;
let url: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'tollgate-serve-story-'));
  cpSync(join(ROOT, 'examples/quickstart'), join(home, 'resources'), { recursive: true });
  manifest = join(home, 'resources/tokenbudget.yaml');
  served = runTollgate(
    [
      'serve',
      '--mock',
      '--resources',
      join(home, 'resources'),
      ...'--port 0 --admin-port 0 --server-port 0'.split(' '),
    ],
    { HOME: home, TOLLGATE_STATE: join(home, 'state') },
  );
  await served.until(/^stop: .*\n/m);
  url = /OPENAI_BASE_URL=(\S+)/.exec(served.out())?.[1] ?? '';
}, LIMIT_MS);
afterAll(async () => {
  expect(await served.stop()).toBe(0);
  rmSync(home, { recursive: true, force: true });
}, LIMIT_MS);

const tollgate = async (...args: string[]): Promise<string> => {
  const command = runTollgate(args, { HOME: home, TOLLGATE_STATE: join(home, 'state') });
  expect([await command.ended, command.err()]).toEqual([0, '']);
  return command.out();
};

const call = async (): Promise<{ readonly status: number; readonly body: string }> => {
  const answer = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', max_tokens: 20, messages: [{ role: 'user', content: 'Hello?' }] }),
  });
  return { status: answer.status, body: await answer.text() };
};

const untilTrue = async (claim: () => Promise<boolean>): Promise<boolean> => {
  for (const end = performance.now() + EFFECT_MS; performance.now() < end;) if (await claim()) return true;
  return false;
};

describe('tollgate serve --mock --resources examples/quickstart', () => {
  it('prints its ready line and five more, and nothing else, on stdout', () => {
    const lines = served.out().trimEnd().split('\n');
    expect(lines[0]).toMatch(/^tollgate \S+ is ready/);
    expect(lines.slice(1).map((line) => line.split(':')[0])).toEqual([
      'use it',
      'try it',
      'budgets',
      'metrics',
      'stop',
    ]);
  });

  it('answers the curl that it printed, with the cost', async () => {
    const curl = /^try it: +(.*)$/m.exec(served.out())?.[1] ?? '';
    const { stdout } = await promisify(execFile)('bash', ['-c', curl.replace('curl ', 'curl -s ')]);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(stdout).toMatch(/x-tollgate-cost-usd: 0\.0000\d+/);
    expect(stdout).toContain('"object": "chat.completion"');
  });

  it('serves the metrics page that it printed', async () => {
    const page = await fetch(/^metrics: +(\S+)/m.exec(served.out())?.[1] ?? '');
    expect(await page.text()).toContain('tollgate_calls_total 1');
  });

  it('shows the spend in get tokenbudgets, as a table and as JSON', async () => {
    const spent = async (): Promise<string> => {
      const list = JSON.parse(await tollgate('get', 'tokenbudgets', '-o', 'json'));
      return list.items[0].status.limits[0].used;
    };
    await untilTrue(async () => /[1-9]/.test(await spent()));
    expect(await spent()).toMatch(/^\$0\.0000\d+$/);
    const table = await tollgate('get', 'tokenbudgets');
    expect(table).toMatch(/^NAME +ENFORCEMENT +SPENT +LIMIT +USED +BURN\/H +EXHAUSTS +READY +AGE\n/);
    expect(table).toMatch(/^quickstart +Hard +.*True/m);
  });

  it('takes up an edited manifest with no restart, refuses a bad one with its path, and keeps the former in force', async () => {
    const text = readFileSync(manifest, 'utf8');
    expect((await call()).status).toBe(200);
    writeFileSync(manifest, text.replace('max: 100000', 'max: 1'));
    expect(await untilTrue(async () => (await call()).status === 429)).toBe(true);
    expect((await call()).body).toContain('TokenBudget default/quickstart, limit \\"daily-requests\\" is exhausted');

    writeFileSync(manifest, text.replace('max: 100000', 'max: many'));
    const refused = await served.until(/refused, the former manifests stay in force:\n(.*)\n/);
    expect(refused[1]).toMatch(
      /tokenbudget\.yaml:\d+: TokenBudget default\/quickstart: spec\.limits\[1\]\.requests\.max: /,
    );
    expect((await call()).status).toBe(429);

    writeFileSync(manifest, text);
    expect(await untilTrue(async () => (await call()).status === 200)).toBe(true);
  });
});
