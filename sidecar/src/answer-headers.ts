/** What Tollgate adds to an answer's headers (design §5). */
import { formatUsd, type NanoUsd } from '@tollgate/metering';
import type { Escrow, Hold } from '@tollgate/ledger/escrow';
import type { Exchange } from './exchange.ts';
import type { Estimate } from './pipeline/estimate.ts';

/** With a hold: an answer whose cost is not known yet. */
export const callHeaders = (
  exchange: Exchange,
  { hard, bound, capPut }: Estimate,
  escrow: Pick<Escrow, 'left'>,
  hold: Hold | null,
): string[] => {
  const headers = ['x-tollgate-request-id', exchange.requestId];
  let tightest: { readonly budget: string; readonly left: NanoUsd } | null = null;
  for (const need of hard) {
    if (need.unit !== 'cost') continue;
    const left = escrow.left(need);
    if (left !== null && (tightest === null || left < tightest.left)) tightest = { budget: need.budget, left };
  }
  if (tightest !== null)
    headers.push(
      'x-tollgate-budget',
      tightest.budget,
      'x-tollgate-remaining-usd',
      formatUsd(tightest.left < 0n ? 0n : tightest.left),
    );
  else if (hard[0] !== undefined) headers.push('x-tollgate-budget', hard[0].budget);
  if (hold !== null) headers.push('x-tollgate-held-usd', formatUsd(bound.cost));
  if (exchange.degraded !== null) headers.push('x-tollgate-degraded', exchange.degraded);
  if (capPut !== null) headers.push('x-tollgate-max-output-tokens', String(capPut));
  return headers;
};

export const costHeaders = (charged: NanoUsd): string[] => ['x-tollgate-cost-usd', formatUsd(charged)];
