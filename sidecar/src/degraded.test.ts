import { describe, expect, it } from '@jest/globals';
import { conditionOf, unreadyReason, type Condition, type ConditionFacts } from './degraded.ts';
import { watchCondition } from './condition-watch.ts';

const FINE: ConditionFacts = {
  escrow: { outageMs: null, isOverdrawing: false, spoolTrouble: null },
  isPolicyStale: false,
  isSpoolDamaged: false,
};

describe('the condition of a proxy', () => {
  it.each<[string, Partial<ConditionFacts>, Condition, string | null]>([
    ['nothing wrong', {}, { state: 'fresh', reasons: [] }, null],
    [
      'a ledger that is away',
      { escrow: { ...FINE.escrow, outageMs: 5_000 } },
      { state: 'degraded', reasons: ['ledger_unreachable'] },
      null,
    ],
    [
      'an overdraft that is drawn on',
      { escrow: { ...FINE.escrow, outageMs: 5_000, isOverdrawing: true } },
      { state: 'degraded', reasons: ['ledger_unreachable', 'overdraft'] },
      null,
    ],
    ['an old policy', { isPolicyStale: true }, { state: 'refusing', reasons: ['policy_stale'] }, null],
    [
      'a full spool',
      { escrow: { ...FINE.escrow, spoolTrouble: 'full' } },
      { state: 'refusing', reasons: ['spool_full'] },
      'spool_full',
    ],
    [
      'a spool that was damaged, and is gone now',
      { escrow: { ...FINE.escrow, spoolTrouble: 'lost' }, isSpoolDamaged: true },
      { state: 'refusing', reasons: ['spool_lost', 'spool_damaged'] },
      'spool_lost',
    ],
  ])('with %s', (_, facts, condition, unready) => {
    const is = conditionOf({ ...FINE, ...facts });
    expect(is).toEqual(condition);
    expect(unreadyReason(is)).toBe(unready);
  });

  it('is looked at every second, and told of when it changes', () => {
    let now: Condition = { state: 'fresh', reasons: [] };
    let next: (() => void) | null = null;
    const told: Condition[] = [];
    const watch = watchCondition({
      condition: () => now,
      timers: {
        after: (_, act) => {
          next = act;
          return () => {
            next = null;
          };
        },
      },
      onChange: (condition) => void told.push(condition),
    });
    const look = (): void => next?.();
    look();
    now = { state: 'degraded', reasons: ['ledger_unreachable', 'overdraft'] };
    look();
    look();
    expect([watch.header(), told]).toEqual(['ledger_unreachable, overdraft', [now]]);
    now = { state: 'fresh', reasons: [] };
    look();
    expect([watch.header(), told.length]).toEqual([null, 2]);
    watch.close();
    expect(next).toBeNull();
  });
});
