/** Draws a schedule from a seed: calls spread over the proxies, often many at once, and faults between them. */
import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import { planCall } from './plan-call.ts';
import { planFault } from './plan-fault.ts';
import { FULL, type Shape } from './plan-shape.ts';
import { makeRandom, type Random } from './random.ts';
import type { Action, CallAction, PlannedLimit, Schedule } from './schedule.ts';

export const planSchedule = (seed: number, shape: Shape = FULL): Schedule => {
  const random = makeRandom(seed);
  const limits = planLimits(random);
  const calls = planCalls(random, { ...shape, unsound: unsoundIn(random, shape) }, limits);
  const actions = [...calls, ...planFaults(random, shape, limits, calls)];
  const { proxies, servers, lastsMs } = shape;
  return { seed, proxies, servers, lastsMs, limits, actions: actions.toSorted((a, b) => a.at - b.at) };
};

/** Three budgets of different kinds, one with an overdraft. Each is now tight, now wide, so that each is at times the one that binds. */
const planLimits = (random: Random): readonly PlannedLimit[] => [
  {
    budget: 'sim/spend',
    limit: 'daily',
    unit: 'cost',
    max: random.pick([60_000, 120_000, 1_000_000]),
    windowMs: 30_000,
    buckets: null,
    isPartitioned: false,
  },
  {
    budget: 'sim/tokens',
    limit: 'sliding',
    unit: 'tokens',
    max: random.pick([5_000, 10_000, 100_000]),
    windowMs: 10_000,
    buckets: 4,
    isPartitioned: true,
  },
  {
    budget: 'sim/calls',
    limit: 'total',
    unit: 'requests',
    max: random.pick([60, 150, 10_000]),
    windowMs: null,
    buckets: null,
    isPartitioned: random.chance(0.3),
  },
  // Of the first budget: in an outage, beside its limit.
  {
    budget: 'sim/spend',
    limit: OVERDRAFT_LIMIT,
    unit: 'cost',
    max: random.pick([20_000, 60_000]),
    windowMs: 30_000,
    buckets: null,
    isPartitioned: false,
  },
];

/** Of the attempts of one schedule. */
const unsoundIn = (random: Random, shape: Shape): number => (random.chance(shape.unsound) ? 0.05 : 0);

const planCalls = (random: Random, shape: Shape, limits: readonly PlannedLimit[]): readonly CallAction[] => {
  const calls: CallAction[] = [];
  while (calls.length < shape.calls) {
    const proxy = random.between(0, shape.proxies - 1);
    const at = random.between(0, shape.lastsMs);
    // Often alone, sometimes many at once.
    const together = random.chance(0.15) ? random.between(3, 10) : 1;
    for (let count = 0; count < together && calls.length < shape.calls; count += 1) {
      calls.push({ kind: 'call', at: at + random.between(0, 5), proxy, ...planCall(random, limits, shape.unsound) });
    }
  }
  return calls;
};

const planFaults = (
  random: Random,
  shape: Shape,
  limits: readonly PlannedLimit[],
  calls: readonly CallAction[],
): readonly Action[] => {
  const faults = shape.faults === 0 ? 0 : shape.faults + random.between(0, Math.ceil(shape.faults / 2));
  return Array.from({ length: faults }, () => planFault(random, { shape, limits, calls }));
};
