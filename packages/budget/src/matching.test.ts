import type { SnapshotBudget, SnapshotLimit } from '@tollgate/api';
import { describe, expect, it } from '@jest/globals';
import { matchingLimits } from './matching.ts';

const aLimit = (name: string, models: readonly string[] = []): SnapshotLimit => ({
  name,
  unit: 'cost',
  count: 'Total',
  max: '1',
  period: 'Day',
  window: 'Calendar',
  models,
  partitionBy: 'Budget',
});

const aBudget = (name: string, limits: readonly SnapshotLimit[], routes?: readonly string[]): SnapshotBudget => ({
  namespace: 'team-a',
  name,
  enforcement: 'Hard',
  timeZone: 'Etc/UTC',
  preset: 'Standard',
  waitSeconds: 5,
  overdraft: null,
  onInsufficient: 'Refuse',
  onUnpriced: { action: 'Price', inputPerMillion: null, outputPerMillion: null },
  onUnboundable: { action: 'Ceiling', ceiling: null },
  onDisconnect: 'Drain',
  unresolvedPolicy: 'Charge',
  ...(routes === undefined ? {} : { routes }),
  limits,
});

const names = (...found: Parameters<typeof matchingLimits>): readonly string[] =>
  matchingLimits(...found).map(({ budget, limit }) => `${budget.name}/${limit.name}`);

describe('matchingLimits', () => {
  const budgets = [
    aBudget('all', [aLimit('a'), aLimit('gpt', ['gpt-*'])]),
    aBudget('claude', [aLimit('opus', ['claude-opus-*'])]),
    aBudget('routed', [aLimit('r')], ['cheap']),
  ];

  it('finds the limits for a model, in order', () => {
    expect(names(budgets, 'gpt-4o', null)).toEqual(['all/a', 'all/gpt']);
    expect(names(budgets, 'claude-opus-4', null)).toEqual(['all/a', 'claude/opus']);
  });

  it('binds a call of an unknown model by every limit', () => {
    expect(names(budgets, null, null)).toEqual(['all/a', 'all/gpt', 'claude/opus']);
  });

  it('binds a budget of one route to calls that take it, or whose route was not told', () => {
    expect(names(budgets, 'x', 'cheap')).toEqual(['all/a', 'routed/r']);
    expect(names(budgets, 'x', 'dear')).toEqual(['all/a']);
    expect(names(budgets, 'x')).toEqual(['all/a', 'routed/r']);
  });

  it('finds nothing where there are no budgets', () => {
    expect(matchingLimits([], 'gpt-4o')).toEqual([]);
  });
});
