/** Draws one call: what it may cost, what it does cost, and how it ends. */
import type { Random } from './random.ts';
import type { CallPlan, PlannedLimit } from './schedule.ts';

export const PARTITIONS = ['team-a', 'team-b'] as const;

export const planCall = (random: Random, limits: readonly PlannedLimit[], unsound: number): CallPlan => {
  const nanos = random.between(100, 6_000);
  const isUnsound = random.chance(unsound);
  return {
    limits: limits.map((_, index) => index).filter((index) => index === 0 || random.chance(0.6)),
    partition: random.pick(PARTITIONS),
    nanos,
    tokens: Math.ceil(nanos / 10),
    isSoft: random.chance(0.08),
    waitMs: random.pick([0, 300, 2_000]),
    ending: random.pick(['usage', 'usage', 'usage', 'unknown', 'abandoned', 'void']),
    share: isUnsound ? random.between(1_001, 1_300) : random.between(0, 1_000),
    billedAfterMs: random.between(1, 50),
    endsAfterMs: random.chance(0.1) ? random.between(1_000, 20_000) : random.between(1, 1_500),
  };
};
