import { describe, expect, it } from '@jest/globals';
import { warningsOf } from './manifest-report.ts';

const applied = { kind: 'applied', budgets: 0, routes: 0, services: 0 } as const;

describe('the warnings of a change', () => {
  it('are none while a budget binds and none has gone, nor for what changed nothing', () => {
    expect(warningsOf({ ...applied, isBound: true, gone: [] }, { namespace: 'a' })).toEqual([]);
    expect(warningsOf({ kind: 'refused', faults: ['x'] }, { namespace: 'a' })).toEqual([]);
  });

  it('name what has gone though another budget still binds', () => {
    expect(warningsOf({ ...applied, isBound: true, gone: ['a/b'] }, { namespace: 'a' })).toEqual([
      'TokenBudget a/b is gone; its limits are not in force any more',
    ]);
  });

  it('say what becomes of calls that no budget binds', () => {
    const report = { ...applied, isBound: false, gone: [] };
    expect(warningsOf(report, { namespace: 'a' })).toEqual([
      'no TokenBudget binds calls of namespace a now: they pass without a limit; --require-budget refuses them',
    ]);
    expect(warningsOf(report, { namespace: 'a', requireBudget: true })).toEqual([
      'no TokenBudget binds calls of namespace a now: they are refused, because of --require-budget',
    ]);
  });
});
