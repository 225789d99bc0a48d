import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import { aChat, callJson, type CallAnswer } from './testing/call.ts';
import { startHarness, type Harness, type HarnessOptions } from './testing/harness.ts';
import { readMetric } from './testing/metrics.ts';
import { aLimit, aSnapshot, aSnapshotBudget, makeMockPrices } from './testing/objects.ts';
import type { SnapshotBudget } from '@tollgate/api';

describe('a proxy while things are away', () => {
  let harness: Harness | null = null;
  afterEach(async () => {
    harness?.mock.release();
    await harness?.stop();
    harness = null;
  });

  const start = async (budgets: readonly SnapshotBudget[], more: HarnessOptions = {}): Promise<Harness> => {
    harness = await startHarness({ snapshot: aSnapshot({ budgets }), prices: makeMockPrices(), ...more });
    return harness;
  };
  const chat = ({ url }: Harness, stated: Record<string, unknown> = {}): Promise<CallAnswer> =>
    callJson(`${url}/openai/v1/chat/completions`, aChat(stated));
  const status = async (on: Harness): Promise<Record<string, unknown>> =>
    (await (await fetch(`${on.adminUrl}/status`)).json()) as Record<string, unknown>;
  const until = async (isSo: () => Promise<boolean>): Promise<void> => {
    const deadline = performance.now() + 10_000;
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error('not within 10 s');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  /** What such a call holds, in nano-USD. */
  const heldByOne = async (): Promise<bigint> => {
    const probe = await startHarness({ snapshot: aSnapshot(), prices: makeMockPrices() });
    await chat(probe);
    const [event] = await probe.events(1);
    await probe.stop();
    return event?.held ?? 0n;
  };

  it('pays calls from its overdraft once the ledger is silent, says so, and spends no more than limit and overdraft', async () => {
    const held = await heldByOne();
    const limit = held / 2n;
    const overdraft = held * 3n;
    const on = await start([
      aSnapshotBudget({
        waitSeconds: 0,
        overdraft: { amount: String(overdraft), maxDurationSeconds: 600 },
        limits: [aLimit({ unit: 'cost', max: String(limit) })],
      }),
    ]);
    await until(async () => (await readMetric(on, 'tollgate_overdraft_left_nanousd')) === Number(overdraft));
    expect((await chat(on)).error?.code).toBe('budget_never_fits');
    expect(await status(on)).toMatchObject({ state: 'fresh', reasons: [], ledger: { outageMs: null } });

    on.controlPlane.setDown(true);
    const first = await chat(on);
    expect([first.status, first.headers.get('x-tollgate-degraded')]).toEqual([200, 'overdraft']);
    expect(await status(on)).toMatchObject({ state: 'degraded', reasons: ['ledger_unreachable', 'overdraft'] });
    expect(await readMetric(on, 'tollgate_proxy_degraded')).toBe(2);
    let answer = first;
    while (answer.status === 200) answer = await chat(on);
    expect(answer.error?.code).toBe('budget_store_unavailable');
    expect(answer.error?.message).toContain('of TokenBudget default/chat does not cover this call');
    expect(on.mock.bill()).toBeGreaterThan(limit);
    expect(on.mock.bill()).toBeLessThanOrEqual(limit + overdraft);

    on.controlPlane.setDown(false);
    await on.events(on.mock.log.length);
    await until(async () => (await status(on))['state'] === 'fresh');
    const charged = on.controlPlane.events.flatMap(({ counters }) => counters);
    expect(new Set(charged.map((counter) => counter.limit))).toEqual(new Set([OVERDRAFT_LIMIT]));
    expect(charged.reduce((sum, counter) => sum + counter.charged, 0n)).toBe(on.mock.bill());
    const tally = on.controlPlane.source.tallies().find((each) => each.limit === OVERDRAFT_LIMIT);
    expect(tally?.settled).toBe(on.mock.bill());
  });

  it('takes no call under a Hard budget by a policy that is too old, and any other', async () => {
    const on = await start([aSnapshotBudget()], { env: { TOLLGATE_MAX_POLICY_AGE_MS: '400' } });
    expect((await chat(on)).status).toBe(200);
    on.controlPlane.setDown(true);
    await until(async () => (await chat(on)).error?.code === 'policy_stale');
    const refused = await chat(on);
    expect(refused.error?.message).toContain('TokenBudget default/chat may have changed');
    expect(refused.error?.message).toContain('Calls pass again as soon as it answers');
    expect(await status(on)).toMatchObject({ state: 'refusing', reasons: ['policy_stale'] });
    // Every pod would leave at once.
    expect((await fetch(`${on.adminUrl}/readyz`)).status).toBe(200);
    on.controlPlane.setDown(false);
    on.controlPlane.setSnapshot(aSnapshot({ budgets: [aSnapshotBudget({ enforcement: 'Soft' })] }));
    on.controlPlane.setDown(true);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await chat(on)).status).toBe(200);
  });

  it('takes no call it could not record, tells that it is not ready, and goes on by itself with a new spool folder', async () => {
    const on = await start([aSnapshotBudget()]);
    expect((await chat(on)).status).toBe(200);
    await on.events(1);
    const { spoolDir } = on;
    rmSync(spoolDir, { recursive: true });
    await until(async () => (await fetch(`${on.adminUrl}/readyz`)).status === 200 && (await chat(on)).status === 200);
    await until(async () => (await status(on))['state'] === 'fresh');
    expect(join(spoolDir, 'lock')).not.toBe('');
    expect((await chat(on)).status).toBe(200);
  });

  it('refuses with ledger_backpressure near the bound of its spool, lets open calls settle, and goes on once they are stored', async () => {
    const on = await start([aSnapshotBudget()], { env: { TOLLGATE_MAX_SPOOL_BYTES: '1048576' } });
    on.mock.holdAnswers();
    const open = Array.from({ length: 30 }, () => chat(on));
    await on.mock.gate.untilWaiting(30);
    on.controlPlane.setTakesEvents(false);
    on.fillSpool(0.9);
    const refused = await chat(on);
    expect([refused.status, refused.error?.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'ledger_backpressure',
      '5',
    ]);
    expect(await status(on)).toMatchObject({ state: 'refusing', reasons: ['spool_full'] });
    const ready = await fetch(`${on.adminUrl}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, 'spool_full\n']);
    await until(() => Promise.resolve(on.controlPlane.degraded().length > 0));
    expect(on.controlPlane.degraded()).toEqual(['spool_full']);
    on.mock.release();
    expect((await Promise.all(open)).map((answer) => answer.status)).toEqual(Array.from({ length: 30 }, () => 200));
    on.controlPlane.setTakesEvents(true);
    await until(async () => (await chat(on)).status === 200);
    expect(await status(on)).toMatchObject({ state: 'fresh' });
    await until(() => Promise.resolve(on.controlPlane.degraded().length === 0));
  });

  it('notices at once that a caller left who waits for money, and holds nothing for him', async () => {
    const on = await start([
      aSnapshotBudget({ waitSeconds: 30, limits: [aLimit({ unit: 'requests', max: '1', period: 'Day' })] }),
    ]);
    on.mock.holdAnswers();
    const first = chat(on);
    await on.mock.gate.untilWaiting(1);
    const gone = request(`${on.url}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    gone.on('error', () => undefined);
    gone.end(JSON.stringify(aChat()));
    await until(async () => (await readMetric(on, 'tollgate_calls_open')) === 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    gone.destroy();
    await until(async () => (await readMetric(on, 'tollgate_calls_open')) === 1);
    on.mock.release();
    expect((await first).status).toBe(200);
    expect(await readMetric(on, 'tollgate_holds_open')).toBe(0);
    expect(on.mock.log).toHaveLength(1);
  });

  it('asked to stop while the ledger is away, waits no longer than it may, and its next life delivers what was left', async () => {
    const on = await start([aSnapshotBudget()], { env: { TOLLGATE_GRACE_MS: '300' } });
    expect((await chat(on)).status).toBe(200);
    await on.events(1);
    on.controlPlane.setDown(true);
    expect((await chat(on)).status).toBe(200);
    const before = performance.now();
    const { late } = await on.restart({ while: () => on.controlPlane.setDown(false) });
    expect(late).toContain('leases and events');
    expect(performance.now() - before).toBeLessThan(10_000);
    await on.events(2);
    expect(on.controlPlane.events.map(({ settle }) => settle)).toEqual(['usage', 'usage']);
    expect((await chat(on)).status).toBe(200);
    await on.events(3);
    await on.stop();
    const tallies = on.controlPlane.source.tallies();
    expect(tallies.map(({ settled }) => settled)).toEqual([on.mock.bill()]);
    expect(on.controlPlane.source.unclosed()).toEqual([]);
  });

  it('reads back what it wrote while its clock stood before 1970', async () => {
    const on = await start([aSnapshotBudget()], { env: { TOLLGATE_GRACE_MS: '300' }, now: () => -86_400_000 });
    expect((await chat(on)).status).toBe(200);
    await on.events(1);
    on.controlPlane.setDown(true);
    expect((await chat(on)).status).toBe(200);
    await on.restart({ while: () => on.controlPlane.setDown(false) });
    await on.events(2);
    expect(on.controlPlane.events.map(({ settle, startedAt, endedAt }) => [settle, startedAt, endedAt])).toEqual([
      ['usage', 0, 0],
      ['usage', 0, 0],
    ]);
  });
});
