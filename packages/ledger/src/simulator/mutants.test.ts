import { describe, expect, it } from '@jest/globals';
import { MUTANTS } from './mutants.ts';
import type { Mutation } from './mutation.ts';
import { planSchedule } from './plan.ts';
import { violationOf } from './shorten.ts';

/** Each is found in a few; this is where a search ends. */
const MOST_SEEDS = 80;

const firstViolation = async (mutation: Mutation): Promise<string | null> => {
  for (let seed = 1; seed <= MOST_SEEDS; seed += 1) {
    const violation = await violationOf(planSchedule(seed), mutation);
    if (violation) return violation.message;
  }
  return null;
};

describe('the oracle finds a chain with', () => {
  for (const [name, make] of Object.entries(MUTANTS)) {
    it(
      name,
      async () => {
        expect(await firstViolation(make())).toMatch(/: (bound|chain|events|conservation|progress): /);
      },
      300_000,
    );
  }

  it('and names the seed to replay', async () => {
    const mutation = MUTANTS['free abort']?.();
    expect(mutation && (await firstViolation(mutation))).toMatch(/^SIM_SEED=[0-9]+ at [0-9]+ ms: events: /);
  }, 300_000);
});
