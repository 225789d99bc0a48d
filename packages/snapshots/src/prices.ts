/** The part of the price table that one snapshot carries. */
import type { Snapshot, SnapshotRoute } from '@tollgate/api';
import { toSnapshotRow, type PriceTable } from '@tollgate/prices/table';
import { byText } from './order.ts';

/** Whose public addresses the proxy knows without any route. */
const ALWAYS = ['anthropic', 'azure', 'google', 'openai'] as const;

/** In a stable order, without doubles. */
export const pricedProviders = (routes: readonly SnapshotRoute[]): readonly string[] => {
  const named = routes.flatMap(({ rules }) =>
    rules.flatMap(({ backends }) => backends.map((backend) => backend.priceProvider)),
  );
  return [...new Set([...ALWAYS, ...named.filter((name) => name !== undefined)])].sort();
};

export const snapshotPrices = (table: PriceTable, providers: readonly string[]): Snapshot['prices'] => {
  const key = providers.join();
  const made = selections.get(table) ?? new Map<string, Snapshot['prices']>();
  selections.set(table, made);
  const prices = made.get(key) ?? select(table, providers);
  made.set(key, prices);
  return prices;
};

/** Hundreds of subjects share a table and a handful of provider sets. */
const selections = new WeakMap<PriceTable, Map<string, Snapshot['prices']>>();

const select = (table: PriceTable, providers: readonly string[]): Snapshot['prices'] => {
  const { rows, aliases } = table.rowsFor(providers);
  return {
    version: table.version,
    rows: rows.map(toSnapshotRow).sort((a, b) => byText(`${a.provider}/${a.model}`, `${b.provider}/${b.model}`)),
    aliases: Object.fromEntries(Object.entries(aliases).sort(([a], [b]) => byText(a, b))),
  };
};
