import { describe, expect, it } from '@jest/globals';
import { conditionsOf } from './conditions.ts';

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0, 789);
const BEFORE = '2026-11-01T00:00:00Z';

describe('conditions', () => {
  it.each([
    ['the same status keeps its time, whatever the reason', 'True', BEFORE],
    ['another status begins now, in whole seconds', 'False', '2026-11-21T12:00:00Z'],
  ] as const)('%s', (_title, status, lastTransitionTime) => {
    const former = [{ type: 'Ready', status: 'True', lastTransitionTime: BEFORE, reason: 'Old', message: '' }] as const;
    const claim = { type: 'Ready', status, reason: 'New', message: 'x'.repeat(9_000) };
    const [condition] = conditionsOf([claim], { former, generation: 3, now: NOW });
    expect(condition).toMatchObject({ status, reason: 'New', observedGeneration: 3, lastTransitionTime });
    expect(condition?.message).toHaveLength(8_192);
  });
});
