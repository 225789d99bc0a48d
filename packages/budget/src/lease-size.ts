/** How much of a counter one proxy takes ahead of need (design §4.6). */

const HOLDS_AHEAD = 2n;
/** 0.05 % of the limit: small limits are dominated by the holds, large ones by this. */
const LIMIT_SHARE = 2000n;

export interface LeaseWish {
  readonly need: bigint;
  /** 95th percentile of this proxy's holds on the counter. */
  readonly p95Hold: bigint;
  readonly limit: bigint;
}

/** What a proxy asks for: never less than the call at hand needs. */
export const preferredLease = ({ need, p95Hold, limit }: LeaseWish): bigint =>
  larger(need, larger(HOLDS_AHEAD * p95Hold, limit / LIMIT_SHARE));

export interface PoolState {
  /** What the pool has of the counter now. */
  readonly pool: bigint;
  readonly liveProxies: number;
}

/** What the pool gives of it: the need where it has that much, and more only within this proxy's share of half the pool. */
export const grantedLease = (
  { need, prefer }: { need: bigint; prefer: bigint },
  { pool, liveProxies }: PoolState,
): bigint => {
  if (pool < need) return 0n;
  const share = pool / (2n * BigInt(Math.max(1, liveProxies)));
  return larger(need, smaller(prefer, share));
};

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
