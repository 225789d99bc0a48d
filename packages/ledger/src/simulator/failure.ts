/** What is said of a seed that fails: what it broke, the shortest schedule that still breaks it, and how to play it again. */
import { UNBROKEN, type Mutation } from './mutation.ts';
import { planSchedule } from './plan.ts';
import { scheduleFile } from './schedule-file.ts';
import { scheduleTable } from './schedule-text.ts';
import type { Schedule } from './schedule.ts';
import { shorten, violationOf } from './shorten.ts';

export interface FailureDeps {
  readonly commit: string;
  /** Writes a file and says where. */
  readonly keep: (name: string, text: string) => string;
  readonly mutation?: Mutation;
  /** As SIM_MUTANT names it. */
  readonly mutant?: string | null;
  readonly print: (line: string) => void;
}

export const explainFailure = async (seed: number, deps: FailureDeps): Promise<void> => {
  const { commit, keep, mutation = UNBROKEN, mutant = null, print } = deps;
  const broken = mutant === null ? '' : ` SIM_MUTANT='${mutant}'`;
  const short = await shorten(planSchedule(seed), mutation);
  if (!short) {
    print(
      `seed ${String(seed)} does not fail when it is played again at ${commit}: its run was not decided by its seed`,
    );
    return;
  }
  const { schedule, violation, runs } = short;
  print(`\n${violation.message}\n  commit ${commit}, shortened in ${String(runs)} runs to\n${scheduleTable(schedule)}`);
  const again = await violationOf(schedule, mutation);
  const isExact = again?.digest === violation.digest && again.message === violation.message;
  const file = keep(`seed-${String(seed)}.json`, scheduleFile(schedule));
  print(`  digest ${violation.digest}, ${isExact ? 'the same when played again' : 'ANOTHER when played again'}`);
  print(
    `  whole:     make test-sim SIM_SEED=${String(seed)}${broken}\n  shortened: make test-sim SIM_REPLAY=${file}${broken}`,
  );
};

/** Plays one schedule and says all about it; true: nothing is broken. */
export const playOne = async (
  schedule: Schedule,
  { mutation = UNBROKEN, print }: Pick<FailureDeps, 'mutation' | 'print'>,
): Promise<boolean> => {
  print(scheduleTable(schedule));
  const violation = await violationOf(schedule, mutation);
  print(violation ? `\n${violation.message}\n  digest ${violation.digest}` : '\nnothing is broken');
  return violation === null;
};
