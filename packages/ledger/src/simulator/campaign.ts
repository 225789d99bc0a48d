/** Plays many seeds on several threads, until they are done, the time is over, or one fails. */
import { Worker } from 'node:worker_threads';
import type { Portion, PortionResult } from './campaign-worker.ts';
import { addSums, NO_SUMS, type Sums } from './sums.ts';

export interface CampaignDeps {
  readonly from: number;
  /** How many seeds; with `untilMs`, at most. */
  readonly seeds: number;
  /** By `clock`; no portion is begun after it. */
  readonly untilMs: number;
  readonly workers: number;
  /** The chain is broken in this way, to see a failure; null: it is not. */
  readonly mutant: string | null;
  readonly clock: () => number;
  readonly onProgress: (sums: Sums) => void;
}

export interface CampaignResult {
  readonly sums: Sums;
  readonly failed: PortionResult['failed'];
}

/** Seeds that a thread is given at a time. */
const PORTION = 10;

export const runCampaign = async (deps: CampaignDeps): Promise<CampaignResult> => {
  const { from, seeds, untilMs, workers, mutant, clock, onProgress } = deps;
  let sums = NO_SUMS;
  let next = from;
  const failed: PortionResult['failed'][number][] = [];

  const nextPortion = (): Portion | null => {
    const count = Math.min(PORTION, from + seeds - next);
    if (count <= 0 || clock() >= untilMs || failed.length > 0) return null;
    next += count;
    return { from: next - count, count };
  };

  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('campaign-worker.ts', import.meta.url), { workerData: { mutant } });
    try {
      for (let portion = nextPortion(); portion !== null; portion = nextPortion()) {
        const result = await ask(worker, portion);
        sums = addSums(sums, result.sums);
        failed.push(...result.failed);
        onProgress(sums);
      }
    } finally {
      await worker.terminate();
    }
  };

  await Promise.all(Array.from({ length: workers }, work));
  return { sums, failed: failed.toSorted((a, b) => a.seed - b.seed) };
};

const ask = (worker: Worker, portion: Portion): Promise<PortionResult> =>
  new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(portion);
  });
