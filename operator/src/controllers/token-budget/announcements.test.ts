import { describe, expect, it } from '@jest/globals';
import type { TokenBudget } from '@tollgate/api';
import { admitManifest } from '../../programming/admitted-manifest.ts';
import { aBudgetObject, aBudgetView, WINDOW_END, WINDOW_START } from '../testing/objects.ts';
import { announcementsOf, type Announced } from './announcements.ts';

const NOTHING: Announced = new Map();
const HOUR = 3_600_000;

const aBudget = (limit: object = {}, spec: object = {}): TokenBudget => {
  const limits = [{ name: 'daily', cost: { max: '1' }, period: 'Day', warnAtPercent: [50, 80], ...limit }];
  const admission = admitManifest('TokenBudget', aBudgetObject({ spec: { ...spec, limits } }), 'tollgate-system');
  if (!admission.accepted || admission.resource.kind !== 'TokenBudget') throw new Error('no budget');
  return admission.resource;
};

const at = (percent: number, limit: object = {}) =>
  aBudgetView({ limit: { percent, remaining: percent >= 100 ? 0n : 1n, ...limit } });

/** The reasons and levels said as the share goes through these percentages. */
const said = (
  percents: readonly (number | { readonly percent: number; readonly limit: object })[],
  budget: TokenBudget = aBudget(),
): readonly string[] => {
  let announced = NOTHING;
  return percents.map((step) => {
    const { percent, limit } = typeof step === 'number' ? { percent: step, limit: {} } : step;
    const { events, announced: next } = announcementsOf(budget, at(percent, limit), {
      announced,
      object: aBudgetObject(),
    });
    announced = next;
    return events.map(({ reason, note }) => `${reason} ${/threshold of (\d+)/.exec(note)?.[1] ?? ''}`.trim()).join();
  });
};

describe('events of a budget', () => {
  it('are sent once at each threshold, and once at the end', () => {
    expect(said([10, 50, 60, 80, 99, 100, 100])).toEqual([
      '',
      'BudgetThresholdReached 50',
      '',
      'BudgetThresholdReached 80',
      '',
      'BudgetExhausted',
      '',
    ]);
  });

  it('name only the highest of several that are crossed at once', () => {
    expect(said([90, 60, 85])).toEqual(['BudgetThresholdReached 80', '', '']);
  });

  it('begin anew with the next window', () => {
    const limit = { windowStart: WINDOW_END, resetAt: WINDOW_END + 24 * HOUR };
    expect(said([85, { percent: 10, limit }, { percent: 85, limit }])).toEqual([
      'BudgetThresholdReached 80',
      '',
      'BudgetThresholdReached 80',
    ]);
  });

  it('begin anew when the limit is another', () => {
    expect(
      said([85, { percent: 42, limit: { max: 2_000_000_000n } }, { percent: 85, limit: { max: 2_000_000_000n } }]),
    ).toEqual(['BudgetThresholdReached 80', '', 'BudgetThresholdReached 80']);
  });

  it('of a sliding window are not repeated as it slides, until it has slid by its length', () => {
    const budget = aBudget({ window: 'Sliding' });
    const slid = (hours: number, percent: number) => ({ percent, limit: { windowStart: WINDOW_START + hours * HOUR } });
    expect(said([slid(0, 85), slid(3, 40), slid(5, 85), slid(24, 85)], budget)).toEqual([
      'BudgetThresholdReached 80',
      '',
      '',
      'BudgetThresholdReached 80',
    ]);
  });

  it('are not repeated by a process that has just begun to lead: the status tells what was said', () => {
    const stored = { name: 'daily', percent: 82, windowStart: new Date(WINDOW_START).toISOString() };
    const object = aBudgetObject({ status: { limits: [stored] } });
    const again = announcementsOf(aBudget(), at(83), { announced: NOTHING, object });
    expect(again.events).toEqual([]);
    expect(announcementsOf(aBudget(), at(100), { announced: again.announced, object }).events).toHaveLength(1);
  });

  it.each([
    ['Hard', 'the calls it counts are refused'],
    ['Soft', 'calls pass all the same'],
  ])('say what becomes of calls under %s', (enforcement, text) => {
    const { events } = announcementsOf(aBudget({}, { enforcement }), at(100), {
      announced: NOTHING,
      object: aBudgetObject(),
    });
    expect(events[0]?.note).toContain(text);
  });
});
