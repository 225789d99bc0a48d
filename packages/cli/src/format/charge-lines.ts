/** How a charge came about: tokens × rate for each kind, summed and rounded up once. Shown only where it adds up. */
import { PRIORITY_PERMILLE, TOKEN_KINDS, UNIT_KINDS, charge, formatUsd, tierFor } from '@tollgate/metering';
import type { NanoUsd, PriceRow, Usage } from '@tollgate/metering';

export interface ChargeLine {
  readonly kind: string;
  readonly count: number;
  /** `$0.15 / 1M` */
  readonly rate: string;
  /** US dollars with as many decimals as the product has: 1e-15 at most, since a rate is nano-USD per million. */
  readonly amount: string;
}

export interface ChargeSum {
  readonly lines: readonly ChargeLine[];
  /** Of a service tier; null where the table's rates hold as they are. */
  readonly factor: string | null;
}

/** Null where these rates do not give this charge: it was settled at the hold, or at another price. */
export const chargeLines = (usage: Usage, row: PriceRow, charged: NanoUsd): ChargeSum | null => {
  const factor = [null, 'priority'].find((serviceTier) => charge(usage, row, { serviceTier }) === charged);
  const rates = tierFor(row, usage)?.rates;
  if (factor === undefined || rates === undefined) return null;
  const lines: ChargeLine[] = [];
  for (const kind of TOKEN_KINDS) {
    const count = usage[kind] ?? 0;
    if (count > 0)
      lines.push({
        kind,
        count,
        rate: `$${trim(formatUsd(rates[kind]))} / 1M`,
        amount: `$${product(BigInt(count) * rates[kind])}`,
      });
  }
  for (const kind of UNIT_KINDS) {
    const rate = row.units[kind] ?? 0n;
    const count = usage[kind] ?? (kind === 'request' && rate > 0n ? 1 : 0);
    if (count > 0)
      lines.push({
        kind,
        count,
        rate: `$${trim(formatUsd(rate))} each`,
        amount: `$${trim(formatUsd(BigInt(count) * rate))}`,
      });
  }
  return { lines, factor: factor === null ? null : `× ${PRIORITY_PERMILLE / 1000} (priority)` };
};

/** Nano-USD per million tokens × tokens: fifteen decimals of a dollar. */
const product = (scaled: bigint): string => {
  const digits = scaled.toString().padStart(16, '0');
  return trim(`${digits.slice(0, -15)}.${digits.slice(-15)}`);
};

const trim = (decimal: string): string => decimal.replace(/(\.\d\d\d*?)0+$/, '$1');
