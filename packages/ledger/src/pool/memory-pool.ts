import type { MakePoolDeps } from './make-pool.ts';
import { makePool } from './make-pool.ts';
import { makeMemoryPoolState } from './memory-pool-state.ts';
import type { Pool } from './pool.ts';

/**
 * The server's own pool, in memory. Losing the process loses nothing but the use of what was in it: the next life opens a
 * new epoch.
 */
export type MemoryPoolDeps = Omit<MakePoolDeps, 'state' | 'sharedAs'>;

export const makeMemoryPool = (deps: MemoryPoolDeps): Promise<Pool> =>
  makePool({ ...deps, state: makeMemoryPoolState({ clock: deps.clock }) });
