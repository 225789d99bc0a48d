/** Draws one call: what it may cost, what it does cost, and how it ends. */
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import type { Random } from './random.ts';
import type { CallPlan, PlannedLimit } from './schedule.ts';

export const PARTITIONS = ['team-a', 'team-b'] as const;

export const planCall = (random: Random, limits: readonly PlannedLimit[], unsound: number): CallPlan => {
  const nanos = random.between(100, 6_000);
  const isUnsound = random.chance(unsound);
  const share = isUnsound ? random.between(1_001, 1_300) : random.between(0, 1_000);
  return {
    limits: limits.flatMap(({ limit }, index) => (bindsCall(random, limit, index) ? [index] : [])),
    partition: random.pick(PARTITIONS),
    nanos,
    tokens: Math.ceil(nanos / 10),
    isSoft: random.chance(0.08),
    waitMs: random.pick([0, 300, 2_000]),
    ending: random.pick(['usage', 'usage', 'usage', 'unknown', 'abandoned', 'void']),
    share,
    tight: !isUnsound && random.chance(0.5) ? random.between(share, 1_000) : null,
    billedAfterMs: random.between(1, 50),
    endsAfterMs: random.chance(0.1) ? random.between(1_000, 20_000) : random.between(1, 1_500),
  };
};

/** The first binds every call. An overdraft binds none: it stands in for a limit in an outage. */
const bindsCall = (random: Random, limit: string, index: number): boolean =>
  index === 0 || (limit !== OVERDRAFT_LIMIT && random.chance(0.6));
