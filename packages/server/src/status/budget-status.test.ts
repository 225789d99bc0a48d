import { describe, expect, it } from '@jest/globals';
import type { TokenBudget } from '@tollgate/api';
import type { CounterUsage } from '@tollgate/store';
import { termsAt } from '../resources/counter-terms.ts';
import { limitsInForce } from '../resources/counter-terms.ts';
import { aBudget } from '../testing/a-budget.ts';
import { budgetView, spanText } from './budget-status.ts';
import { limitFigures, type LimitFigures } from './limit-figures.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;

const usage = (part: Partial<CounterUsage> = {}): CounterUsage => ({
  budget: 'default/pool',
  limit: 'daily',
  partition: '',
  windowId: '2026-11-21T00:00Z/Day',
  unit: 'cost',
  windowStart: Date.UTC(2026, 10, 21),
  windowEnd: Date.UTC(2026, 10, 22),
  allocated: 0n,
  refunded: 0n,
  settled: 0n,
  unresolved: 0n,
  seeded: 0n,
  seededSince: 0,
  calls: 0n,
  inputTokens: 0n,
  outputTokens: 0n,
  wouldRefuse: 0n,
  unproven: 0n,
  estimated: 0n,
  unmetered: 0n,
  recent: 0n,
  recentFrom: null,
  topModel: null,
  ...part,
});

const figuresOf = (
  budget: TokenBudget,
  rows: readonly CounterUsage[],
  pooled = 0n,
  unbooked = 0n,
): readonly LimitFigures[] =>
  [...limitsInForce([budget]).values()].map((inForce) => {
    const name = {
      budget: 'default/pool',
      limit: inForce.limit.name,
      partition: inForce.limit.partitionBy === 'Budget' ? '' : 'x',
    };
    const terms = termsAt(inForce, name, NOW);
    if (!terms) throw new Error('no terms');
    return limitFigures({ limit: inForce.limit, terms, unbooked }, rows, () => pooled, NOW);
  });

const view = (budget: TokenBudget, rows: readonly CounterUsage[]) =>
  budgetView({
    budget,
    limits: figuresOf(budget, rows),
    since: NOW - HOUR,
    attached: { pods: 2, onVersion: 1 },
    now: NOW,
  });

describe('limitFigures', () => {
  it('counts what is lost as spent, and what is in hands as held', () => {
    const [figures] = figuresOf(
      aBudget(),
      [usage({ allocated: 900n, refunded: 100n, settled: 300n, unresolved: 50n })],
      200n,
    );
    expect(figures).toMatchObject({ spent: 350n, unresolved: 50n, held: 250n, remaining: 999_999_650n });
  });

  it('counts as spent what the first call of a new limit will find', () => {
    const [fresh] = figuresOf(aBudget(), [], 0n, 1_200_000_000n);
    expect(fresh).toMatchObject({ spent: 1_200_000_000n, remaining: 0n, percent: 120, held: 0n, exhaustsAt: NOW });
    const [back] = figuresOf(aBudget(), [usage({ allocated: 300n, settled: 300n })], 0n, 200n);
    expect(back).toMatchObject({ spent: 500n, remaining: 999_999_500n, held: 0n });
  });

  it('shows the fullest partition, and how many there are', () => {
    const budget = aBudget({ limits: [{ name: 'daily', cost: { max: '1' }, period: 'Day', partitionBy: 'User' }] });
    const row = { windowId: '2026-11-21T00:00Z/Day/by:User' };
    const [figures] = figuresOf(budget, [
      usage({ ...row, partition: 'u', settled: 5n }),
      usage({ ...row, partition: 'v', settled: 9n }),
      usage({ ...row, partition: 'w' }),
    ]);
    expect(figures).toMatchObject({ partition: 'v', partitions: 3, spent: 9n });
  });

  it('leaves out windows of another time, and of another meaning of the same name', () => {
    const [figures] = figuresOf(aBudget(), [
      usage({ windowId: '2026-11-20T00:00Z/Day', settled: 5n }),
      usage({ windowId: '2026-11-21T00:00Z/Day/tokens', settled: 7n }),
    ]);
    expect(figures?.spent).toBe(0n);
  });

  it('sums the buckets that a sliding limit looks back on', () => {
    const budget = aBudget({ limits: [{ name: 'daily', cost: { max: '1' }, period: 'Hour', window: 'Sliding' }] });
    const bucket = (minutes: number, settled: bigint, suffix = '') => {
      const start = NOW - minutes * 60_000;
      return usage({
        windowId: `${new Date(start).toISOString()}/Hour/Sliding${suffix}`,
        windowStart: start,
        windowEnd: start + 300_000,
        settled,
        topModel: `m${String(settled)}`,
      });
    };
    const [figures] = figuresOf(budget, [
      bucket(0, 1n),
      bucket(5, 20n),
      bucket(60, 300n),
      bucket(65, 4_000n),
      bucket(10, 50_000n, '/tokens'),
    ]);
    expect(figures).toMatchObject({ spent: 321n, topModel: 'm300' });
  });

  it('projects from the last hour, and from at least ten minutes', () => {
    const pace = (part: Partial<CounterUsage>) => figuresOf(aBudget(), [usage({ settled: 400_000_000n, ...part })])[0];
    expect(pace({ recent: 100_000_000n, recentFrom: NOW - 30 * 60_000 })).toMatchObject({
      burnPerHour: 200_000_000n,
      exhaustsAt: NOW + 3 * HOUR,
    });
    expect(pace({ recent: 100_000_000n, recentFrom: NOW - 1_000 })).toMatchObject({
      burnPerHour: 600_000_000n,
      exhaustsAt: NOW + HOUR,
    });
    expect(pace({ recent: 10_000_000n, recentFrom: NOW - HOUR })).toMatchObject({ exhaustsAt: null });
    expect(pace({ settled: 1_000_000_000n })).toMatchObject({ remaining: 0n, percent: 100, exhaustsAt: NOW });
  });
});

describe('budgetView', () => {
  it('shows the tightest limit', () => {
    const budget = aBudget({
      limits: [
        { name: 'daily', cost: { max: '25' }, period: 'Day' },
        { name: 'calls', requests: { max: 10 }, period: 'Total' },
      ],
    });
    const calls = usage({
      limit: 'calls',
      windowId: 'Total/requests',
      unit: 'requests',
      settled: 9n,
      calls: 9n,
      inputTokens: 80n,
      outputTokens: 4n,
      topModel: 'o3',
      unproven: 2n,
    });
    const shown = view(budget, [usage({ settled: 500_000_000n }), calls]);
    expect(shown.columns).toEqual({
      namespace: 'default',
      name: 'pool',
      enforcement: 'Hard',
      spent: '9',
      limit: '10',
      used: '90%',
      burnPerHour: '0',
      exhausts: '-',
      tokens: '84',
      topModel: 'o3',
      ready: 'True',
      createdAt: new Date(NOW - HOUR).toISOString(),
      resets: '',
      pods: 2,
      reason: 'Enforcing',
    });
    expect(shown.resource.status).toMatchObject({
      unprovenRequests: 2,
      attachedPods: 2,
      limits: [
        {
          name: 'daily',
          used: '$0.50',
          held: '$0.00',
          remaining: '$24.50',
          percent: 2,
          resetAt: '2026-11-22T00:00:00.000Z',
        },
        { name: 'calls', remaining: '1' },
      ],
      conditions: [{ type: 'Ready', reason: 'Enforcing' }],
    });
  });

  it('tells used up from over, by whether the budget enforces', () => {
    const full = [usage({ settled: 1_000_000_000n })];
    expect(view(aBudget(), full).columns).toMatchObject({ reason: 'Exhausted', exhausts: 'now' });
    expect(view(aBudget({ enforcement: 'Soft' }), full).columns.reason).toBe('OverLimit');
    expect(view(aBudget({ enforcement: 'Audit' }), []).columns.reason).toBe('Observing');
  });

  it('keeps the age that the API server gave', () => {
    const budget = aBudget();
    const told = { ...budget, metadata: { ...budget.metadata, creationTimestamp: '2026-01-01T00:00:00Z' } };
    expect(view(told, []).columns.createdAt).toBe('2026-01-01T00:00:00Z');
  });
});

describe('spanText', () => {
  it.each([
    [999, '0s'],
    [59_000, '59s'],
    [61_000, '1m1s'],
    [3_600_000, '1h'],
    [5_400_000, '1h30m'],
    [90_000_000, '1d1h'],
    [864_000_000, '10d'],
    [-5, '0s'],
  ])('%d ms is %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});
