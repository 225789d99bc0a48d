import type { PoolEpoch } from './pool-state.ts';
import type { PoolProcess, SharedEpochs } from './shared-epochs.ts';

/** The shared pool's epochs, kept in memory beside `memory-block-source.ts`: Postgres in tests and in the simulator. */
export interface MemorySharedEpochs extends SharedEpochs {
  isShared(epoch: string): boolean;
}

export interface MemorySharedEpochsDeps {
  readonly openEpoch: () => string;
  readonly sealEpoch: (epoch: string) => void;
}

export const makeMemorySharedEpochs = ({ openEpoch, sealEpoch }: MemorySharedEpochsDeps): MemorySharedEpochs => {
  const processes = new Map<string, PoolProcess>();
  const all: PoolEpoch[] = [];
  const swept = new Set<string>();
  return {
    isShared: (epoch) => all.some(({ id }) => id === epoch),
    current: async () => all.at(-1) ?? null,
    succeed: async ({ previous, library, above }) => {
      const last = all.at(-1);
      if (last && last.id !== previous) return { epoch: last, made: false };
      if (last) sealEpoch(last.id);
      const epoch = { id: openEpoch(), number: Math.max(above, last?.number ?? 0) + 1, library };
      all.push(epoch);
      return { epoch, made: true };
    },
    attend: async (process) => {
      processes.set(process.id, process);
      return [...processes.values()];
    },
    depart: async (id) => {
      processes.delete(id);
    },
    unswept: async () => all.slice(0, -1).flatMap(({ id }) => (swept.has(id) ? [] : [id])),
    swept: async (epochs) => {
      for (const id of epochs) swept.add(id);
    },
  };
};
