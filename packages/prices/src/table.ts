import type { PriceLookup, PriceRow } from '@tollgate/metering';
import { dearestOf } from './dearest.ts';
import { familyOf, nameKeys, normalName } from './model-name.ts';
import type { PriceRowJson } from './row.ts';
import { fromSnapshotRow } from './row.ts';

export { priceProvider } from './provider-id.ts';
export { fromSnapshotRow, toSnapshotRow } from './row.ts';
export type { PriceRowJson } from './row.ts';

/** What a table is made of: the shape of `table.json` and of a snapshot's `prices`. */
export interface PriceTableData {
  readonly version: string;
  readonly rows: readonly PriceRowJson[];
  /** `provider/alias` → `model` of a row of that provider; an alias may end in `-{version}` (see model-name.ts). */
  readonly aliases: Readonly<Record<string, string>>;
}

/** A part of a table, for a snapshot. */
export interface PriceSelection {
  readonly rows: readonly PriceRow[];
  readonly aliases: Readonly<Record<string, string>>;
}

export interface PriceTable {
  /** Date and content hash: one version is one set of prices, for ever. */
  readonly version: string;
  lookup(provider: string, model: string): PriceLookup;
  /** The dearest rate of each kind among the priced models whose names begin alike; null where there is none. */
  dearestOfFamily(provider: string, model: string): PriceRow | null;
  rowsFor(providers: readonly string[]): PriceSelection;
}

/**
 * A table that prices by exact name: a model that it does not list is unknown, never "like" another.
 *
 * @example
 * makePriceTable(data).lookup('openai', 'gpt-4o-2024-08-06') // { kind: 'known', row: …gpt-4o, version }
 */
export const makePriceTable = (data: PriceTableData): PriceTable => {
  const rows = new Map<string, PriceRow>();
  for (const json of data.rows) {
    const row = fromSnapshotRow(json);
    rows.set(rowKey(row.provider, row.model), row);
  }
  const aliases = new Map(Object.entries(data.aliases));
  const find = (provider: string, name: string): PriceRow | undefined => {
    for (const key of nameKeys(provider, name)) {
      const alias = aliases.get(`${provider}/${key}`);
      const row = rows.get(alias === undefined ? `${provider}/${key}` : rowKey(provider, alias));
      if (row !== undefined) return row;
    }
    return undefined;
  };
  const dearest = new Map<string, PriceRow>();
  const kin = (provider: string, family: string): readonly PriceRow[] =>
    [...rows.values()].filter(
      (row) => row.provider === provider && familyOf(provider, row.model.toLowerCase()) === family,
    );
  return {
    version: data.version,
    lookup: (provider, model) => {
      const name = normalName(provider, model);
      const row = name === null ? undefined : find(provider, name);
      return row === undefined ? { kind: 'unknown', model } : { kind: 'known', row, version: data.version };
    },
    dearestOfFamily: (provider, model) => {
      const name = normalName(provider, model);
      const family = name === null ? null : familyOf(provider, name);
      if (family === null) return null;
      const key = `${provider}/${family}`;
      const row = dearest.get(key) ?? dearestOf(kin(provider, family), { provider, model, family });
      // Names come from callers: only families that have a row are kept, so that they cannot fill the memory.
      if (row !== null) dearest.set(key, row);
      return row === null ? null : { ...row, model };
    },
    rowsFor: (providers) => {
      const wanted = new Set(providers);
      const owner = (key: string): string => key.slice(0, key.indexOf('/'));
      return {
        rows: [...rows.values()].filter((row) => wanted.has(row.provider)),
        aliases: Object.fromEntries([...aliases].filter(([key]) => wanted.has(owner(key)))),
      };
    },
  };
};

const rowKey = (provider: string, model: string): string => `${provider}/${model.toLowerCase()}`;
