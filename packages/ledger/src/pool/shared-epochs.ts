import type { PoolEpoch } from './pool-state.ts';

/**
 * The epochs of the one pool that several servers share. The source says which is current, so that servers who start, or
 * lose the pool, at the same moment end up in the same one. A shared epoch is sealed by its successor and by nobody else.
 */
export interface SharedEpochs {
  /** Null: there was none yet. */
  current(): Promise<PoolEpoch | null>;
  /**
   * Seals `previous` and makes the next epoch, in one step; where another did so before, tells what is current now. Only
   * who made it may open it, once. Its number is above `above`.
   */
  succeed(step: {
    readonly previous: string | null;
    readonly library: string;
    readonly above: number;
  }): Promise<{ readonly epoch: PoolEpoch; readonly made: boolean }>;
  /** This process is alive and has these libraries; returns all that are. Said again every few seconds. */
  attend(process: PoolProcess): Promise<readonly PoolProcess[]>;
  /** This process has ended in order. */
  depart(id: string): Promise<void>;
  /** Epochs that are over and may have left keys behind. */
  unswept(): Promise<readonly string[]>;
  swept(epochs: readonly string[]): Promise<void>;
}

/** A process that uses the shared pool. */
export interface PoolProcess {
  readonly id: string;
  /** The version of the library that it brings along. */
  readonly library: string;
  /** The argument contracts in which it can call a library. */
  readonly dialects: readonly number[];
}

/** The dialect of a library by its version, `<dialect>.<hash>`. */
export const dialectOf = (library: string): number => Number.parseInt(library, 10);

/** A new epoch may have this library once everyone can call it (design §4.7). */
export const mayOpen = (library: string, processes: readonly PoolProcess[]): boolean =>
  library === '' || processes.every(({ dialects }) => dialects.includes(dialectOf(library)));

/** The running epoch gives way to one with this library where nobody is left who brings another. */
export const shouldUpgrade = (running: string, library: string, processes: readonly PoolProcess[]): boolean =>
  running !== library && processes.every((process) => process.library === library);
