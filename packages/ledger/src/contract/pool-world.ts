import { makeMemoryPool } from '../pool/memory-pool.ts';
import { makeMemoryPoolState } from '../pool/memory-pool-state.ts';
import { makePool, type MakePoolDeps } from '../pool/make-pool.ts';
import type { Pool } from '../pool/pool.ts';

/** Where the pools of a harness keep their balances, and what may happen to that. */
export interface PoolWorld {
  readonly isShared: boolean;
  /** Another server's pool. */
  open(deps: Omit<MakePoolDeps, 'state' | 'sharedAs'>): Promise<Pool>;
  /** All that the pools held is gone. */
  lose(): Promise<void>;
  /** Milliseconds UTC. */
  setTime(ms: number): Promise<void>;
  release(): Promise<void>;
}

/** One that several servers share, and that things happen to. */
export interface SharedWorld extends PoolWorld {
  readonly faults: {
    /** All keys are gone, and the process lives on. */
    flush(): Promise<void>;
    /** A hand at a balance is noticed: where the fence has a memory of its own. */
    readonly isSeenThrough: boolean;
    /** A hand sets the balance of every counter. */
    write(pooled: bigint): Promise<void>;
    /** A copy of what is here now: to start again from, or to go on from as if it had never been newer. */
    keep(): Promise<{ restart(): Promise<void>; resync(): Promise<void> }>;
  };
}

/** Each server has a pool of its own, which dies with it. */
export const makeMemoryWorld = async (): Promise<PoolWorld> => ({
  isShared: false,
  open: makeMemoryPool,
  lose: async () => undefined,
  setTime: async () => undefined,
  release: async () => undefined,
});

/** All servers share a state in memory: the model of Redis. */
export const makeSharedMemoryWorld = async (): Promise<SharedWorld> => {
  let now = 0;
  let servers = 0;
  const state = makeMemoryPoolState({ clock: () => now });
  return {
    isShared: true,
    open: (deps) => {
      now = deps.clock();
      return makePool({ ...deps, state, sharedAs: `server-${String((servers += 1))}` });
    },
    lose: async () => {
      state.restart(null);
    },
    setTime: async (ms) => {
      now = ms;
    },
    release: async () => undefined,
    faults: {
      isSeenThrough: true,
      flush: async () => {
        state.flush();
      },
      write: async (pooled) => {
        for (const { key } of state.balances()) state.write(key, pooled);
      },
      keep: async () => {
        const copy = state.copy();
        return {
          restart: async () => {
            state.restart(copy);
          },
          resync: async () => {
            state.resync(copy);
          },
        };
      },
    },
  };
};
