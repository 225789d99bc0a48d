/** The examples with the official clients: what they print when a budget says no. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const LIMIT = 60_000;

let dir: string;
let server: Server;
let url: string;
let refusal: { status: number; code: string };
beforeAll(async () => {
  // The clients are found where the test kit has them, as `npm install` would put them beside a copy of the example.
  dir = mkdtempSync(join(tmpdir(), 'tollgate-examples-'));
  cpSync(pathOf('../../../examples'), dir, { recursive: true });
  symlinkSync(pathOf('../../testkit/node_modules'), join(dir, 'node_modules'));
  server = createServer((_, response) => {
    response.writeHead(refusal.status, { 'content-type': 'application/json', 'x-should-retry': 'false' });
    response.end(
      JSON.stringify({ type: 'error', error: { type: 'x', code: refusal.code, message: 'TokenBudget a/b' } }),
    );
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`;
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

const run = (file: string): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [join(dir, file)], {
    env: { PATH: process.env['PATH'], OPENAI_BASE_URL: `${url}/openai/v1`, ANTHROPIC_BASE_URL: `${url}/anthropic` },
  });

describe.each(['sdk-openai.mjs', 'sdk-anthropic.mjs'])('the example %s', (file) => {
  it.each([
    { status: 400, code: 'budget_never_fits' },
    { status: 429, code: 'budget_exhausted' },
    { status: 503, code: 'budget_store_unavailable' },
  ])(
    'prints a refusal $code in one line',
    async (answer) => {
      refusal = answer;
      const { stdout, stderr } = await run(file);
      expect(stdout).toMatch(/^refused: .*TokenBudget a\/b\n$/);
      expect(stderr).toBe('');
    },
    LIMIT,
  );

  it(
    'does not take another error for a refusal',
    async () => {
      refusal = { status: 400, code: 'invalid_body' };
      await expect(run(file)).rejects.toMatchObject({ code: 1 });
    },
    LIMIT,
  );
});
