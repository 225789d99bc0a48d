import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testIo } from './testing/test-io.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-cli-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const tollgate = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
  const io = testIo({ TOLLGATE_STATE: join(dir, 'state') });
  const code = await io.tollgate(...argv);
  return { code, out: io.out(), err: io.err() };
};

describe('the tollgate command', () => {
  it('prints help and its version', async () => {
    expect(await tollgate('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: tollgate') });
    const version = { code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/), err: '' };
    expect(await tollgate('version')).toEqual(version);
    expect(await tollgate('--version')).toEqual(version);
  });

  it('ends with 64 for a command line that is wrong', async () => {
    expect(await tollgate('nonsense')).toMatchObject({
      code: 64,
      err: expect.stringContaining("tollgate: unknown command 'nonsense'"),
    });
    expect(await tollgate('serve')).toMatchObject({ code: 64, err: expect.stringContaining('--resources') });
    expect(await tollgate('mock-provider', '--port', '70000')).toMatchObject({
      code: 64,
      err: expect.stringContaining('0 to 65535'),
    });
    expect(await tollgate('mock-provider', '--seed', 'x')).toMatchObject({
      code: 64,
      err: expect.stringContaining('whole number'),
    });
  });

  it('ends with 69 when no server is known or none answers, and says how to start one', async () => {
    expect(await tollgate('get', 'tb')).toEqual({
      code: 69,
      out: '',
      err: expect.stringMatching(/^tollgate: no running server .*\n {2}is `tollgate serve` running\?.*\n$/),
    });
    expect(await tollgate('usage', '-n', 'shop')).toMatchObject({
      code: 64,
      err: expect.stringContaining('-n asks the server of a cluster'),
    });
    expect(await tollgate('usage', '--state', dir, '--context', 'prod')).toMatchObject({
      code: 64,
      err: expect.stringContaining('--state is for a server at an address, --context for the one of a cluster'),
    });
    expect(await tollgate('usage', '--service-account', 'shop/reader')).toMatchObject({
      code: 64,
      err: expect.stringContaining('without its namespace'),
    });
    expect(await tollgate('get', 'tb', '--server', 'http://127.0.0.1:1')).toMatchObject({
      code: 69,
      err: expect.stringContaining('does not answer'),
    });
    expect(await tollgate('get', 'tb', '--server', 'ftp://x')).toMatchObject({
      code: 64,
      err: expect.stringContaining('no http or https URL'),
    });
    expect(await tollgate('get', 'tb', '--server', 'http://x', '--token-file', join(dir, 'none'))).toMatchObject({
      code: 64,
      err: expect.stringContaining('cannot be read'),
    });
  });

  it('knows the days of the calendar, and which comes first', async () => {
    for (const [argv, words] of [
      [['--from', '2026-13-01'], '--from 2026-13-01 is no day'],
      [['--to', '2026-11-31'], '--to 2026-11-31 is no day'],
      [['--from', '2026-11-02', '--to', '2026-11-01'], '--from 2026-11-02 is after --to 2026-11-01'],
    ] as const) {
      expect(await tollgate('usage', ...argv)).toMatchObject({ code: 64, err: expect.stringContaining(words) });
    }
  });

  it('prints a stack trace only when asked to', async () => {
    expect((await tollgate('get', 'tb', '--server', 'http://127.0.0.1:1')).err).not.toContain('    at ');
    expect((await tollgate('--debug', 'get', 'tb', '--server', 'http://127.0.0.1:1')).err).toMatch(
      / {4}at .*caused by: /s,
    );
  });
});

describe('tollgate validate', () => {
  const good =
    'apiVersion: tollgate.dev/v1alpha1\nkind: TokenBudget\nmetadata: {name: a}\nspec: {limits: [{name: x, period: Day, requests: {max: 1}}]}\n';

  it('counts what is valid, in a file and in a folder', async () => {
    writeFileSync(join(dir, 'a.yaml'), good);
    expect(await tollgate('validate', '-f', join(dir, 'a.yaml'))).toEqual({
      code: 0,
      out: '1 file, 1 resource: all valid\n',
      err: '',
    });
    expect(await tollgate('validate', '-f', dir)).toMatchObject({ code: 0 });
  });

  it('prints every fault with its file, line and path', async () => {
    writeFileSync(join(dir, 'b.yml'), good.replace('name: a', 'name: A').replace('max: 1', 'max: 0'));
    const { code, err } = await tollgate('validate', '-f', dir);
    expect(code).toBe(64);
    expect(err).toMatch(
      /^b\.yml:3: .*metadata\.name: .*\nb\.yml:4: .*spec\.limits\[0\]\.requests\.max: .*\ntollgate: 2 faults\n/,
    );
    rmSync(join(dir, 'b.yml'));
  });

  it('says so where there is nothing to check', async () => {
    expect((await tollgate('validate', '-f', join(dir, 'none'))).err).toContain('cannot be read');
    const empty = mkdtempSync(join(dir, 'empty-'));
    expect((await tollgate('validate', '-f', empty)).err).toContain('there is no manifest');
  });
});

describe('tollgate mock-provider', () => {
  it('says where it listens, and stops when told', async () => {
    const io = testIo();
    const ended = io.tollgate('mock-provider', '--port', '0', '--seed', '7', '--log', join(dir, 'calls.jsonl'));
    await io.until(({ out }) => out.includes('\n'));
    const { msg, url } = JSON.parse(io.out());
    expect(msg).toBe('ready');
    const port = new URL(url).port;
    const second = await tollgate('mock-provider', '--port', port);
    expect(second).toMatchObject({
      code: 64,
      err: expect.stringContaining(`port ${port}, wanted for the mock provider, is in use`),
    });
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('listens where it is told to, as a container that others call must', async () => {
    const io = testIo();
    const ended = io.tollgate('mock-provider', '--host', '127.0.0.2', '--port', '0');
    await io.until(({ out }) => out.includes('\n'));
    const { bill } = JSON.parse(io.out());
    expect(new URL(bill).hostname).toBe('127.0.0.2');
    expect((await fetch(bill)).status).toBe(200);
    io.signal('SIGTERM');
    expect(await ended).toBe(0);
  });
});
