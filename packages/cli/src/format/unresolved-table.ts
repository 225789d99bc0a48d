/** What nobody can account for, a row a counter and epoch. */
import { printAge } from './age.ts';
import { dollars, grouped } from './dollars.ts';
import { printTable } from './table.ts';

export interface UnresolvedLine {
  readonly id: string;
  readonly budget: string;
  readonly limit: string;
  readonly windowId: string;
  readonly unit: string;
  readonly amount: bigint;
  /** Milliseconds since 1970; null where it is not known. */
  readonly since: number | null;
  readonly instances: readonly string[];
}

export const printUnresolved = (lines: readonly UnresolvedLine[], now: number): string =>
  printTable(
    ['ID', 'BUDGET', 'LIMIT', 'WINDOW', 'AMOUNT', 'AGE', 'LOST'],
    lines.map(({ id, budget, limit, windowId, unit, amount, since, instances }) => [
      id,
      budget,
      limit,
      windowId,
      unit === 'cost' ? dollars(amount) : `${grouped(amount)} ${unit}`,
      since === null ? '-' : printAge(now - since),
      instances.join(',') || '-',
    ]),
  );
