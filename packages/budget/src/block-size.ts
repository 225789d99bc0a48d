/** How much of a limit is taken out of the durable store at once (design §4.5). */

const REMAINING_SHARE = 8n;
/** 2 % of the limit: what a lost pool strands at most, per block. */
const LIMIT_SHARE = 50n;

export interface BlockWish {
  readonly need: bigint;
  /** limit − everything already taken out. */
  readonly remaining: bigint;
  readonly limit: bigint;
  /** Below this a block is not worth its transaction, in the counter's unit. */
  readonly minimum: bigint;
}

/** At least the need, unless less than that remains; then what remains, and the caller decides whether that is a refusal. */
export const blockSize = ({ need, remaining, limit, minimum }: BlockWish): bigint => {
  const most = larger(limit / LIMIT_SHARE, minimum);
  const ordinary = larger(minimum, smaller(remaining / REMAINING_SHARE, most));
  return smaller(larger(need, ordinary), larger(remaining, 0n));
};

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
