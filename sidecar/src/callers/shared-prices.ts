/** Prices are most of a snapshot, and the same for all callers of a gateway: they are kept once. */
import type { Snapshot } from '@tollgate/api';

type Prices = Snapshot['prices'];

export const makeSharedPrices = (): ((prices: Prices) => Prices) => {
  let last: { readonly text: string; readonly prices: Prices } | null = null;
  return (prices) => {
    const text = JSON.stringify(prices);
    if (last?.text !== text) last = { text, prices };
    return last.prices;
  };
};
