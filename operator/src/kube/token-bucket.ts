/** So many at once, and so many a second afterwards. */
export interface TokenBucket {
  /** Takes one; false where none is left. */
  take(): boolean;
  /** Nothing was taken for so long that it is as good as new. */
  isFull(): boolean;
}

export const makeTokenBucket = (burst: number, perSecond: number, clock: () => number): TokenBucket => {
  let left = burst;
  let at = clock();
  const refill = (): void => {
    const now = clock();
    left = Math.min(burst, left + ((now - at) / 1000) * perSecond);
    at = now;
  };
  return {
    take: () => {
      refill();
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    isFull: () => {
      refill();
      return left >= burst;
    },
  };
};
