import type { PriceRowJson, PriceTableData } from './table.ts';

/** `table.json`: the prices of its day, and those that the source announces for later. */
export interface PriceFile extends PriceTableData {
  readonly date: string;
  readonly source: string;
  readonly later: readonly { readonly from: string; readonly row: PriceRowJson }[];
}

/**
 * The table as of a day: announced prices replace the former ones once their day has come, and the version says so. A
 * process that runs for months asks again each day; without it a doubled price would be held at half.
 */
export const tableOn = (file: PriceFile, day: string): PriceTableData => {
  const due = file.later.filter(({ from }) => from <= day).toSorted((a, b) => (a.from < b.from ? -1 : 1));
  const last = due.at(-1);
  if (last === undefined) return { version: file.version, rows: file.rows, aliases: file.aliases };
  const changed = new Map(due.map(({ row }) => [`${row.provider}/${row.model}`, row]));
  return {
    version: `${file.version}+${last.from}`,
    rows: file.rows.map((row) => changed.get(`${row.provider}/${row.model}`) ?? row),
    aliases: file.aliases,
  };
};
