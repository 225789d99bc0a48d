import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testIo } from '../testing/test-io.ts';
import type { TestIo } from '../testing/test-io.ts';

const LIMIT_MS = 120_000;
const MAX_NANO = 5_000_000;
let dir: string;
let resources: string;
let served: TestIo;
let ended: Promise<number>;
let baseUrl: string;
let billUrl: string;
let changes = 1;

const budget = (limit: string, most = MAX_NANO): string => `apiVersion: tollgate.dev/v1alpha1
kind: TokenBudget
metadata: {name: team-a}
spec:
  limits:
  - {name: ${limit}, period: Day, cost: {max: "${String(most / 1e9)}"}}
`;

const call = async (): Promise<number> => {
  const answer = await fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer mock' },
    body: JSON.stringify({ model: 'gpt-4o', max_tokens: 64, messages: [{ role: 'user', content: 'Say hello.' }] }),
  });
  await answer.arrayBuffer();
  return answer.status;
};

/** Until one is refused. Returns how many passed. */
const callAll = async (most: number): Promise<number> => {
  for (let passed = 0; passed < most; passed += 1) if ((await call()) !== 200) return passed;
  return most;
};

/** What the provider charged, which Tollgate has no part in. */
const billedNano = async (): Promise<number> => {
  const bill = (await (await fetch(billUrl)).json()) as { readonly billedNano: string };
  return Number(bill.billedNano);
};

const put = async (text: string | null): Promise<void> => {
  const file = join(resources, 'budget.yaml');
  if (text === null) rmSync(file);
  else writeFileSync(file, text);
  changes += 1;
  await served.until(({ err }) => err.split('in force from').length > changes);
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tollgate-comes-back-'));
  resources = join(dir, 'resources');
  mkdirSync(resources);
  writeFileSync(join(resources, 'budget.yaml'), budget('aa'));
  served = testIo();
  const state = join(dir, 'state');
  const ports = ['--port', '0', '--admin-port', '0', '--server-port', '0'];
  ended = served.tollgate('serve', '--resources', resources, '--mock', '--state', state, ...ports);
  await Promise.race([
    served.until(({ out }) => out.includes('Ctrl-C')),
    ended.then((code) => Promise.reject(new Error(`exit ${String(code)}: ${served.err()}`))),
  ]);
  baseUrl = /OPENAI_BASE_URL=(\S+)/.exec(served.out())?.[1] ?? '';
  billUrl = /the simulated provider's own bill: (\S+)/.exec(served.err())?.[1] ?? '';
}, LIMIT_MS);

afterAll(async () => {
  served.signal('SIGTERM');
  await ended;
  rmSync(dir, { recursive: true, force: true });
}, LIMIT_MS);

describe('a limit that comes back', () => {
  it(
    'lets no more through than the limit, by the bill of the provider, when it was renamed meanwhile',
    async () => {
      expect(await callAll(5)).toBe(5);
      await put(budget('bb'));
      expect(await callAll(200)).toBeLessThan(200);
      await put(budget('aa'));
      await callAll(40);
      const billed = await billedNano();
      expect(billed).toBeGreaterThan(MAX_NANO / 2);
      expect(billed).toBeLessThanOrEqual(MAX_NANO);
    },
    LIMIT_MS,
  );

  it(
    'counts what was spent while its budget was deleted',
    async () => {
      const most = MAX_NANO * 2;
      await put(budget('cc', most));
      await callAll(1);
      await put(null);
      // The proxy hears of it in a moment; a call costs a hundredth of the limit.
      for (let calls = 0; calls < 400 && (await billedNano()) <= most; calls += 1) await call();
      await put(budget('cc', most));
      await callAll(100);
      expect(await callAll(20)).toBe(0);
      expect((await billedNano()) / most).toBeLessThan(1.2);
    },
    LIMIT_MS,
  );
});
