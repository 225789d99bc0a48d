/** Claims of docs/accounting.md that need a world of their own. */
import { describe, expect, it } from '@jest/globals';
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import { FULL } from './plan-shape.ts';
import { planSchedule } from './plan.ts';
import { play } from './play.ts';
import type { CallAction, PlannedLimit, Schedule } from './schedule.ts';

/** One cent in nano-USD. */
const CENT = 10_000_000;

const aLimit = (more: Partial<PlannedLimit>): PlannedLimit => ({
  budget: 'sim/spend',
  limit: 'total',
  unit: 'cost',
  max: CENT,
  windowMs: null,
  buckets: null,
  isPartitioned: false,
  ...more,
});

const aCall = (more: Partial<CallAction>): CallAction => ({
  kind: 'call',
  at: 1_000,
  proxy: 0,
  limits: [0],
  partition: 'team-a',
  nanos: CENT,
  tokens: 1,
  tight: null,
  isSoft: false,
  waitMs: 2_000,
  ending: 'usage',
  share: 1_000,
  billedAfterMs: 5,
  endsAfterMs: 50,
  ...more,
});

const aSchedule = (more: Partial<Schedule>): Schedule => ({
  seed: 1,
  proxies: 1,
  servers: 2,
  lastsMs: 10_000,
  limits: [aLimit({})],
  actions: [],
  ...more,
});

describe('a budget', () => {
  it('with one cent left lets one call through, whether 1, 10, 100 or 1,000 proxies ask at once', async () => {
    for (const proxies of [1, 10, 100, 1_000]) {
      const actions = Array.from({ length: proxies }, (_, proxy) => aCall({ proxy }));
      const { held, refused, billed } = await play(aSchedule({ proxies, actions }));
      expect({ held, refused, billed }).toEqual({ held: 1, refused: proxies - 1, billed: 1 });
    }
  }, 300_000);

  it('holds though the clock of every party jumps by hours and days', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const report = await play(planSchedule(seed, { ...FULL, kinds: ['jump-clock'], faults: 12 }));
      expect(report.faults.get(18)).toBeGreaterThanOrEqual(12);
      expect(report.held).toBeGreaterThan(20);
    }
  }, 300_000);

  it('is overdrawn by no more than its overdraft while Redis and Postgres are away for ten minutes', async () => {
    const minute = 60_000;
    const calls = Array.from({ length: 600 }, (_, index) =>
      aCall({ at: 20_000 + index * 1_000, proxy: index % 8, nanos: CENT / 100, waitMs: 0 }),
    );
    const limits = [aLimit({ max: CENT * 10 }), aLimit({ limit: OVERDRAFT_LIMIT, max: CENT / 10 })];
    const schedule = aSchedule({
      proxies: 8,
      lastsMs: 11 * minute,
      limits,
      actions: [
        { at: 30_000, kind: 'stop-postgres', forMs: 10 * minute },
        { at: 30_000, kind: 'empty-redis', downMs: 10 * minute },
        ...calls,
      ],
    });
    // That what is spent of either is within it, the oracle says at every bill.
    const report = await play(schedule);
    expect(report.overdrawn).toBeGreaterThan(0);
    expect(report.overdrawn).toBeLessThanOrEqual(10);
    expect(report.failed).toBeGreaterThan(300);
  }, 300_000);
});
