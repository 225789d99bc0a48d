/** The testkit's builders with the shipped prices: in the snapshot, and as the mock's own price list. */
import { shippedPriceTable } from '@tollgate/prices/data';
import { toSnapshotRow } from '@tollgate/prices/table';
import { aSnapshot as anySnapshot, type MockPrices } from '@tollgate/testkit';
import type { Snapshot } from '@tollgate/api';

export { aBackend, aLimit, aRule, aSnapshotBudget, aSnapshotRoute } from '@tollgate/testkit';

const table = shippedPriceTable();
const selection = table.rowsFor(['openai', 'anthropic', 'google', 'azure']);
const prices = { version: table.version, rows: selection.rows.map(toSnapshotRow), aliases: selection.aliases };

let snapshots = 0;

/** A new version each time, since a proxy ignores the one it has. */
export const aSnapshot = (stated: Partial<Snapshot> = {}): Snapshot =>
  anySnapshot({ prices, version: `test-${String((snapshots += 1))}`, ...stated });

/** The same rates for the mock, which prices by itself. */
export const makeMockPrices = (): MockPrices =>
  Object.fromEntries(
    selection.rows
      .filter(({ free }) => !free)
      .map((row) => [
        row.model,
        {
          ...(row.tiers[0]?.rates ?? { input: 0n, output: 0n }),
          tiers: row.tiers.slice(1).map(({ aboveInputTokens, rates }) => ({ aboveInputTokens, rates })),
        },
      ]),
  );
