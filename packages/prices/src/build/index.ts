import { createHash } from 'node:crypto';
import { toSnapshotRow } from '../row.ts';
import type { PriceFile } from '../data-file.ts';
import { convert } from './convert.ts';
import type { PriceJump } from './jumps.ts';
import { findJumps } from './jumps.ts';
import { AS_OF, SOURCE, sourceProviders } from './source.ts';

export type { PriceJump } from './jumps.ts';

/** Where the table is kept, from the root of the repository. */
export const PRICE_TABLE_PATH = 'packages/prices/src/table.json';

export interface BuiltPriceTable {
  readonly path: string;
  readonly text: string;
  /** To be printed as warnings. */
  readonly jumps: readonly PriceJump[];
  /** Match clauses of the source that could not be made exact. */
  readonly skipped: readonly string[];
}

/**
 * The text of `table.json`, the same bytes on every machine and day. Throws where a rate moved by more than ten times
 * against the former table, unless `acceptPriceJumps`.
 */
export const buildPriceTable = (
  options: { readonly former?: string; readonly acceptPriceJumps?: boolean } = {},
): BuiltPriceTable => {
  const { rows, aliases, skipped } = convert(sourceProviders());
  const json = rows.filter(({ from }) => from === null).map(({ row }) => toSnapshotRow(row));
  const later = rows.flatMap(({ from, row }) => (from === null ? [] : [{ from, row: toSnapshotRow(row) }]));
  const content = { rows: json, later, aliases: Object.fromEntries(aliases) };
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12);
  const file: PriceFile = {
    version: `${AS_OF}-${hash}`,
    date: AS_OF,
    source: `${SOURCE.name} ${SOURCE.version}`,
    ...content,
  };
  const jumps = options.former === undefined ? [] : findJumps(formerRows(options.former), json);
  const refused = jumps.filter((jump) => jump.refused);
  if (refused.length > 0 && options.acceptPriceJumps !== true) throw new PriceJumpRefused(refused);
  return { path: PRICE_TABLE_PATH, text: print(file), jumps, skipped };
};

/** Caught by the generator, which prints it and leaves the former table in place. */
export class PriceJumpRefused extends Error {
  readonly code = 'price_jump';
  readonly jumps: readonly PriceJump[];
  constructor(jumps: readonly PriceJump[]) {
    const shown = jumps.slice(0, 10).map(({ model, kind, from, to }) => `${model} ${kind}: ${from} -> ${to}`);
    super(`${jumps.length} rates moved by more than ten times (--accept-price-jumps takes them):\n${shown.join('\n')}`);
    this.jumps = jumps;
  }
}

const formerRows = (text: string): PriceFile['rows'] => {
  const file: unknown = JSON.parse(text);
  if (!isPriceFile(file)) throw new TypeError(`the former ${PRICE_TABLE_PATH} is no price table`);
  return file.rows;
};

/** Its rows were written by this module; their rates are read as integers by whoever compares them. */
const isPriceFile = (value: unknown): value is PriceFile =>
  typeof value === 'object' && value !== null && 'version' in value && 'rows' in value && Array.isArray(value.rows);

/** One row a line, so that a diff of the table reads as a list of price changes. */
const print = (file: PriceFile): string => {
  const lines = (values: readonly unknown[]): string => values.map((value) => JSON.stringify(value)).join(',\n');
  const aliases = Object.entries(file.aliases).map(
    ([alias, model]) => `${JSON.stringify(alias)}: ${JSON.stringify(model)}`,
  );
  const head = (['version', 'date', 'source'] as const)
    .map((key) => `"${key}": ${JSON.stringify(file[key])},\n`)
    .join('');
  return `{\n${head}"rows": [\n${lines(file.rows)}\n],\n"later": [\n${lines(file.later)}\n],\n"aliases": {\n${aliases.join(',\n')}\n}\n}\n`;
};
