/** Finds the row that priced an attempt in the table that this build ships; null where the charge names another one. */
import { shippedPriceTable } from '@tollgate/prices/data';
import type { PriceRow } from '@tollgate/metering';
import type { ExplainedAttempt } from './explanation.ts';

export const rowFinder = (): ((attempt: ExplainedAttempt) => PriceRow | null) => {
  const table = shippedPriceTable();
  return ({ priceRow, priceVersion }) => {
    if (priceRow === null || priceVersion !== table.version) return null;
    const slash = priceRow.model.indexOf('/');
    const found = table.lookup(priceRow.model.slice(0, slash), priceRow.model.slice(slash + 1));
    return found.kind === 'known' ? found.row : null;
  };
};
