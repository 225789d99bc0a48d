import { describe, expect, it } from '@jest/globals';
import type { PriceRow } from '@tollgate/metering';
import { explanationFrom } from '../server/explanation.ts';
import { chargeLines } from './charge-lines.ts';
import { printExplanation } from './explanation.ts';

const rates = {
  input: 150_000_000n,
  cachedInput: 75_000_000n,
  cacheWrite5m: 150_000_000n,
  cacheWrite1h: 150_000_000n,
  audioInput: 150_000_000n,
  output: 600_000_000n,
  reasoning: 600_000_000n,
  audioOutput: 600_000_000n,
};
const row: PriceRow = {
  provider: 'openai',
  model: 'gpt-4o-mini',
  free: false,
  tiers: [{ aboveInputTokens: 0, rates }],
  units: { webSearch: 10_000_000n },
  source: 'genai-prices',
  date: '2026-11-01',
};

const attempt = {
  instance: 'i',
  seq: 1,
  requestId: 'tg-1',
  attempt: 1,
  subject: { namespace: 'default', workload: 'local', labels: {}, team: 'default' },
  user: 'u1',
  route: 'default/chat',
  backend: 'main',
  provider: 'openai',
  format: 'openai-chat',
  modelAsked: 'small',
  modelSent: 'gpt-4o-mini',
  modelAnswered: 'gpt-4o-mini-2024-07-18',
  usage: { input: 6, cachedInput: 3, output: 64 },
  settle: 'usage',
  held: '50000',
  charged: '39525',
  priceVersion: 'v1',
  priceRow: { model: 'openai/gpt-4o-mini', source: 'genai-prices', date: '2026-11-01' },
  unproven: false,
  stream: true,
  status: 200,
  startedAt: 1_763_000_000_000,
  endedAt: 1_763_000_000_250,
  counters: [
    {
      budget: 'default/team-a',
      limit: 'daily',
      partition: '',
      windowId: 'w',
      unit: 'cost',
      max: '5000000000',
      held: '50000',
      charged: '39525',
    },
    {
      budget: 'default/audit',
      limit: 'calls',
      partition: 'u1',
      windowId: 'w',
      unit: 'requests',
      max: '5',
      held: '1',
      charged: '1',
      wouldRefuse: true,
    },
  ],
};
const answer = { requestId: 'tg-1', charged: '39525', attempts: [attempt] };

describe('an explanation', () => {
  it('shows each kind times its rate, and that they add up to the charge', () => {
    const text = printExplanation({
      explanation: explanationFrom(answer),
      rowFor: () => row,
      remaining: new Map([['default/team-a/daily', '$4.99']]),
    });
    expect(text).toContain('attempt   1, answered 200, 2025-11-13T02:13:20.000Z, 250 ms');
    expect(text).toContain('caller    default/local, team default, user u1 (as it says)');
    expect(text).toContain('model     small, sent as gpt-4o-mini, answered by gpt-4o-mini-2024-07-18');
    expect(text).toContain('price     openai/gpt-4o-mini, from genai-prices of 2026-11-01, table v1');
    expect(text).toMatch(/input +6 +\$0\.15 \/ 1M +\$0\.0000009\n/);
    expect(text).toMatch(/cachedInput +3 +\$0\.075 \/ 1M +\$0\.000000225\n/);
    expect(text).toMatch(/output +64 +\$0\.60 \/ 1M +\$0\.0000384\n/);
    expect(text).toMatch(/sum +\$0\.000039525 \(rounded up once\)/);
    expect(text).toMatch(/default\/team-a +daily +w +\$0\.00005 +\$0\.000039525 +\$4\.99\n/);
    expect(text).toMatch(/calls \(u1\) +w +1 requests +1 requests +- +would have refused/);
    expect(text).not.toContain('total');
  });

  it('shows usage alone where the rates at hand do not give the charge', () => {
    const text = printExplanation({
      explanation: explanationFrom({ ...answer, attempts: [{ ...attempt, settle: 'hold', charged: '50000' }] }),
      rowFor: () => row,
      remaining: new Map(),
    });
    expect(text).toContain('usage: 6 input, 3 cachedInput, 64 output');
    expect(text).toContain('settled   at its hold');
  });

  it('of several attempts ends with their total; one that reached nobody cost nothing', () => {
    const lost = {
      ...attempt,
      attempt: 1,
      settle: 'void',
      status: null,
      usage: {},
      charged: '0',
      priceRow: null,
      priceVersion: null,
      user: null,
      route: null,
      backend: null,
      stream: false,
      modelAsked: null,
      modelSent: null,
      modelAnswered: null,
      unproven: true,
      counters: [],
    };
    const text = printExplanation({
      explanation: explanationFrom({ ...answer, attempts: [lost, { ...attempt, attempt: 2 }] }),
      rowFor: () => null,
      remaining: new Map(),
    });
    expect(text).toContain('attempt   1, no answer');
    expect(text).toContain('no budget matched');
    expect(text).toContain('price     none known');
    expect(text).toContain('(unproven:');
    expect(text).toContain('total     $0.000039525 in 2 attempts');
  });

  it('is refused when the answer is something else', () => {
    for (const other of [
      null,
      [],
      {},
      { ...answer, charged: 5 },
      { ...answer, attempts: [{ ...attempt, usage: { input: 'x' } }] },
    ]) {
      expect(() => explanationFrom(other)).toThrow('did not answer with an explanation');
    }
  });
});

describe('the lines of a charge', () => {
  it('count pieces, and know the factor of priority processing', () => {
    expect(
      chargeLines({ input: 1, webSearch: 2 }, row, 20_000_150n)?.lines.map(({ kind, amount }) => `${kind} ${amount}`),
    ).toEqual(['input $0.00000015', 'webSearch $0.02']);
    expect(chargeLines({ input: 1000 }, row, 375_000n)).toMatchObject({ factor: '× 2.5 (priority)' });
    expect(chargeLines({ input: 1000 }, row, 1n)).toBeNull();
  });
});
