import type { Connection } from './connection.ts';
import { makeMonth, monthOf } from './event-months.ts';
import { foldCharges, foldUsage } from './roll-up-fold.ts';

/**
 * What keeps a store fast, and is never needed for it to be right: folding what batches appended, and making partitions
 * ahead of need. Runs by itself after every few hundred batches, beside them; a failure is met again the next time.
 */
export interface Upkeep {
  tend(now: number): Promise<void>;
  afterBatch(): void;
  /** Resolves when nothing of it runs. */
  settled(): Promise<void>;
}

const BATCHES = 256;
const DAY_MS = 86_400_000;
/** The next month's partitions are there in its last days. */
const AHEAD_MS = 7 * DAY_MS;

export const makeUpkeep = ({ transact }: Pick<Connection, 'transact'>): Upkeep => {
  let batches = 0;
  let running: Promise<void> | null = null;

  const fold = async (): Promise<void> => {
    await transact(foldUsage);
    while (await transact(foldCharges)) continue;
  };

  return {
    tend: async (now) => {
      for (const month of new Set([monthOf(now), monthOf(now + AHEAD_MS)]))
        await transact((tx) => makeMonth(tx, month));
      await fold();
    },
    afterBatch: () => {
      batches += 1;
      if (batches < BATCHES || running !== null) return;
      batches = 0;
      // Outside of the batch that happened to be the last, which is done.
      running = fold()
        .catch(() => undefined)
        .finally(() => {
          running = null;
        });
    },
    settled: async () => {
      await running;
    },
  };
};
