import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startMockProvider } from '@tollgate/testkit';
import { printBill } from '../format/bill.ts';
import { testIo } from '../testing/test-io.ts';

const LIMIT = 120_000;
const AGENT = `
const { writeFileSync } = await import('node:fs');
const [out, calls, code] = process.argv.slice(2);
const seen = [];
for (let i = 0; i < Number(calls); i += 1) {
  const answer = await fetch(process.env.OPENAI_BASE_URL + '/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer ' + process.env.OPENAI_API_KEY },
    body: JSON.stringify({ model: 'gpt-4o', max_tokens: 300, messages: [{ role: 'user', content: 'step ' + i }] }),
  });
  await answer.text();
  seen.push(answer.status);
  if (answer.status !== 200) break;
}
writeFileSync(out, JSON.stringify({ seen, key: process.env.OPENAI_API_KEY, noProxy: process.env.NO_PROXY }));
process.exit(Number(code));
`;

/** Ends the database that its parent, who wraps it, has started. */
const KILLER = `
import { readFileSync, readdirSync } from 'node:fs';
const read = (path) => { try { return readFileSync(path, 'utf8'); } catch { return ''; } };
for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
  const parent = read('/proc/' + pid + '/stat').split(') ').at(-1).split(' ')[1];
  if (Number(parent) === process.ppid && read('/proc/' + pid + '/cmdline').includes('pglite-child')) process.kill(Number(pid), 'SIGKILL');
}
await new Promise((resolve) => setTimeout(resolve, 1000));
`;

let dir: string;
let agent: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-wrap-test-'));
  agent = join(dir, 'agent.mjs');
  writeFileSync(agent, AGENT);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const read = (name: string) => JSON.parse(readFileSync(join(dir, name), 'utf8'));

describe('tollgate wrap', () => {
  it(
    'says at once that its database has gone, and that there is no bill',
    async () => {
      const io = testIo();
      const killer = join(dir, 'killer.mjs');
      writeFileSync(killer, KILLER);
      const code = await io.tollgate('wrap', '--budget', '1usd', '--', process.execPath, killer);
      expect(code).toBe(1);
      expect(io.err()).toContain('the database process has gone: nothing can be recorded any more');
      expect(io.err()).toContain('there is no bill');
    },
    LIMIT,
  );

  it(
    'stops the spend of a command at its budget, bills it, and ends with its exit code',
    async () => {
      const io = testIo();
      const code = await io.tollgate(
        'wrap',
        '--budget',
        '0.01usd',
        '--json',
        join(dir, 'bill.json'),
        '--',
        process.execPath,
        agent,
        join(dir, 'out.json'),
        '1000',
        '3',
      );
      expect(code).toBe(3);
      const { seen, key, noProxy } = read('out.json');
      expect(seen.at(-1)).toBe(429);
      expect(key).toBe('mock-key-worth-nothing');
      expect(noProxy).toContain('127.0.0.1');
      const bill = read('bill.json');
      expect(bill).toMatchObject({ mock: true, budgetUsd: '0.010000000', calls: seen.length - 1, refused: 1 });
      expect(Number(bill.spentUsd)).toBeLessThanOrEqual(0.01);
      expect(Number(bill.spentUsd) + Number(bill.remainingUsd)).toBeCloseTo(0.01, 9);
      expect(io.err()).toContain('MOCK: simulated answers, nobody is charged');
      expect(io.err()).toMatch(/openai\/gpt-4o +\d+ /);
      expect(io.out()).toBe('');
    },
    LIMIT,
  );

  it(
    'forwards to the base URL that the user has set, with the key that is there',
    async () => {
      const upstream = await startMockProvider();
      const io = testIo({ OPENAI_BASE_URL: `${upstream.url}/v1`, OPENAI_API_KEY: 'sk-mine' });
      const code = await io.tollgate(
        'wrap',
        '--budget',
        '$1',
        '--json',
        '--',
        process.execPath,
        agent,
        join(dir, 'real.json'),
        '2',
        '0',
      );
      expect(code).toBe(0);
      expect(read('real.json')).toMatchObject({ seen: [200, 200], key: 'sk-mine' });
      expect(upstream.log).toHaveLength(2);
      const bill = JSON.parse(
        io
          .err()
          .split('\n')
          .find((line) => line.startsWith('{"mock"')) ?? '',
      );
      expect(bill).toMatchObject({ mock: false, calls: 2, refused: 0 });
      await upstream.stop();
    },
    LIMIT,
  );

  it(
    'hands signals on to the command',
    async () => {
      const io = testIo();
      const ready = join(dir, 'ready');
      const ended = io.tollgate(
        'wrap',
        '--budget',
        '1',
        '--',
        process.execPath,
        '-e',
        `require('node:fs').writeFileSync(${JSON.stringify(ready)}, ''); setInterval(() => {}, 1000)`,
      );
      for (let isRunning = false; !isRunning;) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        try {
          readFileSync(ready);
          isRunning = true;
        } catch {
          // Not yet.
        }
      }
      io.signal('SIGTERM');
      expect(await ended).toBe(143);
      expect(io.err()).toContain('no metered call was made');
      expect(io.err()).not.toContain('has gone');
    },
    LIMIT,
  );

  it.each([0, 7])(
    'says nothing but what it caps and what was spent when the command ends with %i by itself',
    async (exitCode) => {
      const io = testIo();
      const args = ['--', process.execPath, '-e', `process.exit(${String(exitCode)})`];
      expect(await io.tollgate('wrap', '--budget', '1', ...args)).toBe(exitCode);
      expect(io.err()).toBe(
        `tollgate: $1.00 for ${process.execPath}. MOCK: simulated answers, nobody is charged\n` +
          printBill({ lines: [], budget: 1_000_000_000n, refused: 0, isMock: true }),
      );
    },
    LIMIT,
  );

  it('says what is wrong with its own command line before anything starts', async () => {
    for (const [argv, words] of [
      [['--budget', 'much', '--', 'ls'], 'not an amount of US dollars'],
      [['--budget', '0', '--', 'ls'], 'a budget of 0 lets no call through'],
      [['--budget', '1', '--real', '--', 'ls'], 'there is no provider key in the environment'],
      [['--budget', '1', '--real', '--mock', '--', 'ls'], 'exclude each other'],
      [['--', 'ls'], "required option '--budget <amount>' not specified"],
    ] as const) {
      const io = testIo();
      expect(await io.tollgate('wrap', ...argv)).toBe(64);
      expect(io.err()).toContain(words);
    }
  });

  it('runs nothing when its bill could not be written', async () => {
    const io = testIo();
    const ran = join(dir, 'ran');
    const bill = join(dir, 'nowhere', 'bill.json');
    const touch = `require('node:fs').writeFileSync(${JSON.stringify(ran)}, '')`;
    expect(await io.tollgate('wrap', '--budget', '1', '--json', bill, '--', process.execPath, '-e', touch)).toBe(64);
    expect(io.err()).toMatch(/^tollgate: --json .*bill\.json cannot be written .*ENOENT/);
    expect(existsSync(ran)).toBe(false);
  });

  it(
    'ends with 127 when there is no such command, and says nothing else',
    async () => {
      const io = testIo();
      expect(await io.tollgate('wrap', '--budget', '1', '--', 'no-such-command-here')).toBe(127);
      expect(io.err().trimEnd().split('\n')).toEqual([
        expect.stringContaining('$1.00 for no-such-command-here'),
        'tollgate: no-such-command-here: command not found',
        expect.stringContaining('write the command and its arguments after --'),
      ]);
    },
    LIMIT,
  );
});
