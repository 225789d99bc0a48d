export { fromSnapshotRow, makePriceTable, priceProvider, toSnapshotRow } from './table.ts';
export type { PriceRowJson, PriceSelection, PriceTable, PriceTableData } from './table.ts';
