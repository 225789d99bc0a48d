/** Bytes of bodies in memory, over all calls: a bound for the process beside the bound of each. */
export interface BufferBudget {
  /** False where that much would be too much. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export const makeBufferBudget = (max: number): BufferBudget => {
  let used = 0;
  return {
    take(bytes) {
      if (used + bytes > max) return false;
      used += bytes;
      return true;
    },
    give(bytes) {
      used -= bytes;
    },
  };
};
