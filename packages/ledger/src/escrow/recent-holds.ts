/** The last holds of one counter, for the size of its leases. */
export interface RecentHolds {
  add(amount: bigint): void;
  /** The 95th percentile; zero before the first hold. */
  p95(): bigint;
}

export const makeRecentHolds = (size = 64): RecentHolds => {
  const ring: bigint[] = [];
  let next = 0;
  /** Null: something was added since. */
  let last: bigint | null = 0n;
  return {
    add: (amount) => {
      ring[next] = amount;
      next = (next + 1) % size;
      last = null;
    },
    // Sorted when asked, which is once an acquisition; adding is once a call.
    p95: () => {
      if (last !== null) return last;
      const sorted = ring.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      last = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0n;
      return last;
    },
  };
};
