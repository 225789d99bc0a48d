/** One core of a campaign: plays the seeds that it is given, a handful at a time, and says what they came to. */
import { parentPort, workerData } from 'node:worker_threads';
import { OracleViolation } from './findings.ts';
import { MUTANTS } from './mutants.ts';
import { UNBROKEN } from './mutation.ts';
import { planSchedule } from './plan.ts';
import { play } from './play.ts';
import { addReport, NO_SUMS, type Sums } from './sums.ts';

/** Seeds `from`, `from + 1`, … */
export interface Portion {
  readonly from: number;
  readonly count: number;
}

export interface PortionResult {
  readonly sums: Sums;
  readonly failed: readonly { readonly seed: number; readonly message: string }[];
}

// Thousands of refusals a second are thrown, and nobody reads where from.
Error.stackTraceLimit = 0;

const { mutant }: { readonly mutant: string | null } = workerData;
const port = parentPort;

port?.on('message', ({ from, count }: Portion) => {
  void playPortion(from, count).then((result) => {
    port.postMessage(result);
  });
});

const playPortion = async (from: number, count: number): Promise<PortionResult> => {
  let sums = NO_SUMS;
  const failed: { seed: number; message: string }[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    try {
      const mutation = mutant === null ? UNBROKEN : MUTANTS[mutant]?.();
      sums = addReport(sums, await play(planSchedule(seed), mutation));
    } catch (fault) {
      if (!(fault instanceof OracleViolation)) throw fault;
      failed.push({ seed, message: fault.message });
    }
  }
  return { sums, failed };
};
