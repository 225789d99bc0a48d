import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { startMockProvider } from '@tollgate/testkit';
import { testIo } from '../testing/test-io.ts';
import { runAgent } from './agent.ts';
import { startCheckThenAdd } from './check-then-add.ts';

const LIMIT_MS = 120_000;
const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('tollgate-race-'));

describe('tollgate demo race', () => {
  it(
    'lands the gate that adds afterwards above the limit and Tollgate at or below it, by the provider’s own log',
    async () => {
      const before = leftovers();
      const io = testIo();
      expect(await io.tollgate('demo', 'race', '--agents', '6', '--budget', '0.10usd', '--json')).toBe(0);
      const { gates, lastRequestId, lastRefusal, ...facts } = JSON.parse(io.out());
      expect(facts).toMatchObject({ mock: true, limitUsd: '0.100000000', agents: 6 });
      const [naive, tollgate] = gates;
      expect(naive.name).toBe('check-then-add');
      expect(Number(naive.billedUsd)).toBeGreaterThan(0.1);
      expect(Number(naive.overspendUsd)).toBeGreaterThan(0);
      expect(tollgate.name).toBe('Tollgate');
      expect(Number(tollgate.billedUsd)).toBeLessThanOrEqual(0.1);
      expect(tollgate).toMatchObject({ overspendUsd: '0.000000000', ownBooksUsd: tollgate.billedUsd });
      expect(tollgate.admitted).toBeGreaterThan(3);
      expect(tollgate.refused).toBeGreaterThan(0);
      expect(lastRequestId).toMatch(/^tg-/);
      expect(lastRefusal).toMatch(/^HTTP 429 budget_exhausted: TokenBudget default\/race/);
      expect(leftovers()).toEqual(before);
    },
    LIMIT_MS,
  );

  it(
    'shows the race to people, ends in the explanation of the last call, and stops when told',
    async () => {
      const io = testIo();
      const ended = io.tollgate('demo', 'race', '--agents', '2', '--budget', '1000');
      await io.until(({ out }) => /Tollgate \$0\.0[1-9]/.test(out));
      io.signal('SIGINT');
      expect(await ended).toBe(130);
      expect(io.out()).toContain('2 runaway agents against $1000.00');
      expect(io.out()).toMatch(/GATE +LIMIT +PROVIDER'S BILL +OVERSPEND/);
      expect(io.out()).toMatch(/let through, (tg-\S+); what tollgate explain showed:\nrequest {3}\1\n/);
      expect(io.out()).toMatch(/charged +\$0\.0/);
    },
    LIMIT_MS,
  );

  it('says what is wrong with its command line before anything starts', async () => {
    for (const [argv, words] of [
      [['--budget', 'much'], 'not an amount of US dollars'],
      [['--agents', '0'], '--agents is a number from 1 to 100'],
      [['--agents', '101'], '--agents is a number from 1 to 100'],
      [['--agents', 'x'], 'It must be a whole number.'],
    ] as const) {
      const io = testIo();
      expect(await io.tollgate('demo', 'race', ...argv)).toBe(64);
      expect(io.err()).toContain(words);
    }
  });
});

describe('the gate that checks first and adds afterwards', () => {
  it('lets a second call through while the first is open, though either alone reaches the limit', async () => {
    const provider = await startMockProvider();
    const gate = await startCheckThenAdd({ limit: 10n, upstream: provider.url, costOf: () => 10n });
    const stop = new AbortController();
    const refusals: string[] = [];
    let answers = 0;
    provider.holdAnswers();
    const agents = [1, 2].map((number) =>
      runAgent({
        url: `${gate.url}/v1`,
        model: 'gpt-4o',
        number,
        label: 'naive',
        stop: stop.signal,
        onAnswer: () => void (answers += 1),
        onRefusal: ({ status, code }) => void refusals.push(`${status} ${code}`),
      }),
    );
    await provider.gate.untilWaiting(2);
    provider.release();
    await Promise.all(agents);
    expect(gate.spent()).toBe(20n);
    expect(answers).toBe(2);
    expect(refusals).toEqual(['429 budget_exhausted', '429 budget_exhausted']);
    expect(provider.log.map(({ label }) => label)).toEqual(['naive', 'naive']);
    await gate.close();
    await provider.stop();
  });

  it('adds nothing for a call that failed, and breaks off where the provider is gone', async () => {
    const provider = await startMockProvider();
    const gate = await startCheckThenAdd({ limit: 10n, upstream: provider.url, costOf: () => 10n });
    const send = () => fetch(`${gate.url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    expect((await send()).status).toBe(400);
    expect(gate.spent()).toBe(0n);
    await provider.stop();
    await expect(send()).rejects.toThrow();
    await gate.close();
  });
});

describe('an agent', () => {
  it('waits as long as it is told to, and then goes on', async () => {
    const provider = await startMockProvider();
    provider.script({ times: 1, behaviour: { status: 429, retryAfter: '0' } });
    const stop = new AbortController();
    const refusals: unknown[] = [];
    await runAgent({
      url: `${provider.url}/v1`,
      model: 'gpt-4o',
      number: 1,
      label: 'patient',
      stop: stop.signal,
      onAnswer: () => stop.abort(),
      onRefusal: (refusal) => void refusals.push(refusal),
    });
    expect(refusals).toEqual([expect.objectContaining({ status: 429 })]);
    expect(provider.log.map(({ status }) => status)).toEqual([429, 200]);
    await provider.stop();
  });
});
