import { describe, expect, it } from '@jest/globals';
import type { SnapshotBudget, SnapshotLimit } from '@tollgate/api';
import { OVERDRAFT_LIMIT, overdraftLimit } from './overdraft.ts';

const aLimit = (stated: Partial<SnapshotLimit> = {}): SnapshotLimit => ({
  name: 'daily',
  unit: 'cost',
  count: 'Total',
  max: '100',
  period: 'Day',
  window: 'Calendar',
  models: ['gpt-*'],
  partitionBy: 'Namespace',
  ...stated,
});

const aBudget = (stated: Partial<SnapshotBudget> = {}): SnapshotBudget => ({
  namespace: 'shop',
  name: 'monthly',
  enforcement: 'Hard',
  timeZone: 'UTC',
  preset: 'Standard',
  waitSeconds: 5,
  overdraft: { amount: '7', maxDurationSeconds: 600 },
  onInsufficient: 'Refuse',
  onUnpriced: { action: 'Price', inputPerMillion: null, outputPerMillion: null },
  onUnboundable: { action: 'Ceiling', ceiling: null },
  onDisconnect: 'Drain',
  unresolvedPolicy: 'Charge',
  limits: [aLimit()],
  ...stated,
});

describe('the overdraft as a limit', () => {
  it('is the whole amount, once in the longest window of the limits on money', () => {
    const limits = [
      aLimit({ name: 'hourly', period: 'Hour' }),
      aLimit({ name: 'monthly', period: 'Month' }),
      aLimit({ name: 'ever', period: 'Total', unit: 'tokens' }),
    ];
    expect(overdraftLimit(aBudget({ limits }))).toEqual({
      ...aLimit({ name: OVERDRAFT_LIMIT, period: 'Month', max: '7', models: [], partitionBy: 'Budget' }),
    });
  });

  it('slides where an equally long limit does', () => {
    const limits = [aLimit(), aLimit({ name: 'any', window: 'Sliding' })];
    expect(overdraftLimit(aBudget({ limits }))).toMatchObject({ window: 'Sliding', period: 'Day' });
  });

  it('is none where none is granted, nothing is enforced, or no limit counts money', () => {
    expect(overdraftLimit(aBudget({ overdraft: null }))).toBeNull();
    expect(overdraftLimit(aBudget({ enforcement: 'Soft' }))).toBeNull();
    expect(overdraftLimit(aBudget({ limits: [aLimit({ unit: 'requests' })] }))).toBeNull();
  });
});
