/**
 * Makes a failing schedule short: actions are left out, in halves, then quarters, and so on down to one at a time, as long
 * as the run still breaks the same invariant (delta debugging). Within a bounded number of runs, the rest stays.
 */
import { OracleViolation } from './findings.ts';
import { UNBROKEN, type Mutation } from './mutation.ts';
import { play } from './play.ts';
import type { Action, Schedule } from './schedule.ts';

export interface Shortened {
  readonly schedule: Schedule;
  /** What it still breaks. */
  readonly violation: OracleViolation;
  readonly runs: number;
}

/** Null: the schedule breaks nothing. */
export const shorten = async (
  schedule: Schedule,
  mutation: Mutation = UNBROKEN,
  mostRuns = 600,
): Promise<Shortened | null> => {
  const first = await violationOf(schedule, mutation);
  if (!first) return null;
  let best = { schedule, violation: first };
  let runs = 1;

  const still = async (actions: readonly Action[]): Promise<boolean> => {
    runs += 1;
    const shorter = { ...schedule, actions };
    const violation = await violationOf(shorter, mutation);
    if (violation?.invariant !== first.invariant) return false;
    best = { schedule: shorter, violation };
    return true;
  };

  let parts = 2;
  while (best.schedule.actions.length > 1 && runs < mostRuns) {
    const { actions } = best.schedule;
    const size = Math.ceil(actions.length / parts);
    let hasShrunk = false;
    // From the end, since what comes last is most often the consequence.
    for (let from = actions.length - size; from > -size && runs < mostRuns && !hasShrunk; from -= size) {
      const rest = actions.filter((_, at) => at < from || at >= from + size);
      hasShrunk = rest.length > 0 && (await still(rest));
    }
    if (hasShrunk) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(actions.length, parts * 2);
  }
  return { ...best, runs };
};

export const violationOf = async (schedule: Schedule, mutation: Mutation): Promise<OracleViolation | null> => {
  try {
    await play(schedule, mutation);
    return null;
  } catch (fault) {
    if (fault instanceof OracleViolation) return fault;
    throw fault;
  }
};
