import type { PriceFile } from './data-file.ts';
import { tableOn } from './data-file.ts';
import type { PriceTable } from './table.ts';
import { makePriceTable } from './table.ts';
import file from './table.json' with { type: 'json' };

export { tableOn } from './data-file.ts';
export type { PriceFile } from './data-file.ts';

/** The shipped prices as data. Big: the proxy never imports this module, its prices come with its snapshot. */
export const priceFile: PriceFile = file;

/** The shipped table as of a day (ISO date, UTC); without one, of the day it was built for. */
export const shippedPriceTable = (day: string = priceFile.date): PriceTable => makePriceTable(tableOn(priceFile, day));
