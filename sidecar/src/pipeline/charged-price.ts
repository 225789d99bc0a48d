/** The price of a charge as its event keeps it: the row's name, and the rates that the usage was multiplied by. */
import type { LedgerEvent } from '@tollgate/ledger';
import { TOKEN_KINDS, UNIT_KINDS, tierFor, type PriceRow, type Usage } from '@tollgate/metering';

/** Rates of the kinds that were used alone: with them a charge can be told apart long after its table is gone. */
export const chargedPrice = (row: PriceRow, usage: Usage): NonNullable<LedgerEvent['priceRow']> => {
  const rates: Record<string, string> = {};
  const tier = tierFor(row, usage)?.rates;
  if (tier !== undefined && !row.free) {
    for (const kind of TOKEN_KINDS) if ((usage[kind] ?? 0) > 0) rates[kind] = String(tier[kind]);
    for (const kind of UNIT_KINDS) {
      const rate = row.units[kind];
      // A flat fee per request is charged where the usage does not name it, too.
      if (rate !== undefined && (usage[kind] ?? (kind === 'request' ? 1 : 0)) > 0) rates[kind] = String(rate);
    }
  }
  return { model: `${row.provider}/${row.model}`, source: row.source, date: row.date, rates };
};
