/** What many schedules came to, added up. */
import { MATRIX } from './matrix.ts';
import type { Report } from './play.ts';

export interface Sums {
  readonly schedules: number;
  readonly calls: number;
  readonly held: number;
  readonly refused: number;
  readonly failed: number;
  readonly interrupted: number;
  /** By row of the matrix. */
  readonly faults: ReadonlyMap<number, number>;
}

export const NO_SUMS: Sums = {
  schedules: 0,
  calls: 0,
  held: 0,
  refused: 0,
  failed: 0,
  interrupted: 0,
  faults: new Map(),
};

export const addReport = (sums: Sums, report: Report): Sums => addSums(sums, { ...report, schedules: 1 });

export const addSums = (a: Sums, b: Sums): Sums => ({
  schedules: a.schedules + b.schedules,
  calls: a.calls + b.calls,
  held: a.held + b.held,
  refused: a.refused + b.refused,
  failed: a.failed + b.failed,
  interrupted: a.interrupted + b.interrupted,
  faults: new Map(
    MATRIX.flatMap(({ row }) => {
      const count = (a.faults.get(row) ?? 0) + (b.faults.get(row) ?? 0);
      return count === 0 ? [] : [[row, count] as const];
    }),
  ),
});

export const faultsIn = ({ faults }: Sums): number => [...faults.values()].reduce((sum, count) => sum + count, 0);

/** Rows that no schedule came to. */
export const missingRows = ({ faults }: Sums): readonly number[] =>
  MATRIX.filter(({ row }) => !faults.has(row)).map(({ row }) => row);

export const rowsTable = ({ faults }: Sums): string =>
  MATRIX.map(
    ({ row, fault }) => `  row ${String(row).padStart(2)}  ${String(faults.get(row) ?? 0).padStart(8)}  ${fault}`,
  ).join('\n');

export interface Effort {
  readonly violations: number;
  readonly seconds: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

export const sumLine = (sums: Sums, { violations, seconds, cpuMs }: Effort): string => {
  const { schedules, calls, held, refused, interrupted, faults } = sums;
  return [
    `${String(schedules)} schedules`,
    `${String(calls)} calls (${String(held)} held, ${String(refused)} refused, ${String(interrupted)} interrupted)`,
    `${String(faultsIn(sums))} faults of ${String(faults.size)} rows`,
    `${String(violations)} violations`,
    `${(schedules / Math.max(seconds, 0.001)).toFixed(1)} schedules/s at ${(cpuMs / Math.max(schedules, 1)).toFixed(0)} ms of CPU each`,
  ].join(', ');
};
