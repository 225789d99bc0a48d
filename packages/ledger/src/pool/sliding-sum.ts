/**
 * Sliding limits hold in ledger time: the sum of any `buckets` consecutive buckets stays within the limit (design §4.8).
 * Given the amounts of the buckets around one, this is the largest such sum that the one takes part in. Buckets after it
 * count too: the clock may have been set back.
 */
export interface Bucket {
  readonly start: number;
  readonly amount: bigint;
}

export const largestSlidingSum = (
  around: readonly Bucket[],
  start: number,
  { buckets, bucketMs }: { readonly buckets: number; readonly bucketMs: number },
): bigint => {
  let largest = 0n;
  for (let first = start - (buckets - 1) * bucketMs; first <= start; first += bucketMs) {
    const last = first + (buckets - 1) * bucketMs;
    let sum = 0n;
    for (const bucket of around) if (bucket.start >= first && bucket.start <= last) sum += bucket.amount;
    if (sum > largest) largest = sum;
  }
  return largest;
};

/** When the first bucket begins in which `need` more fits beside what these hold; null: in none, since it is above the limit. */
export const slidingRoomAt = (
  around: readonly Bucket[],
  start: number,
  sliding: { readonly buckets: number; readonly bucketMs: number },
  { max, need }: { readonly max: bigint; readonly need: bigint },
): number | null => {
  for (let step = 1; step <= sliding.buckets; step += 1) {
    const at = start + step * sliding.bucketMs;
    if (largestSlidingSum(around, at, sliding) + need <= max) return at;
  }
  return null;
};
