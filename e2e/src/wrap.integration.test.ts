/** The first story of the README: an agent that never stops is stopped by five cents, and its user is shown the bill. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runTollgate, type RunningTollgate } from './testing/run-tollgate.ts';

const LIMIT_MS = 180_000;
let home: string;
let wrapped: RunningTollgate;
let code: number | null;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'tollgate-wrap-story-'));
  const bill = ['--json', join(home, 'bill.json')];
  wrapped = runTollgate(['wrap', '--budget', '0.05usd', ...bill, '--', process.execPath, 'examples/agent.mjs'], {
    HOME: home,
  });
  code = await wrapped.ended;
}, LIMIT_MS);
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('tollgate wrap --budget 0.05usd -- node examples/agent.mjs', () => {
  it('lets the agent work, refuses the step that would cross five cents, and ends with its exit code', () => {
    expect(wrapped.out()).toMatch(/^step 3: \d+ tokens in, \d+ out · cost \$0\.\d{9}/m);
    expect(wrapped.out()).toMatch(/HTTP 4(29|00) budget_\w+: TokenBudget default\/wrap, limit "total"/);
    expect(wrapped.out()).toMatch(/agent: stopped by its budget after \d+ steps/);
    expect(code).toBe(0);
  });

  it('bills what the answers said, at most five cents, and says that nobody was charged', () => {
    const bill = JSON.parse(readFileSync(join(home, 'bill.json'), 'utf8'));
    const toldAgent = /stopped by its budget after (\d+) steps and \$(\d+\.\d+)\./.exec(wrapped.out());
    expect([bill.calls, bill.spentUsd]).toEqual([Number(toldAgent?.[1]), toldAgent?.[2]]);
    expect(Number(bill.spentUsd)).toBeLessThanOrEqual(0.05);
    // Not sooner than it must: the step that was refused could have crossed them.
    const refused = /this call can cost up to \$(\S+), /.exec(wrapped.out())?.[1];
    expect(Number(bill.spentUsd) + Number(refused)).toBeGreaterThan(0.05);
    expect(wrapped.err()).toContain('MOCK: simulated answers, nobody is charged');
    expect(wrapped.err()).toMatch(/openai\/gpt-4o +\d+ /);
  });
});
