/** Spend by team, model, workload, prompt or day, with its sum. */
import type { NanoUsd } from '@tollgate/metering';
import { dollars, grouped } from './dollars.ts';
import { printTable } from './table.ts';

export interface UsageLine {
  readonly key: string;
  readonly charged: NanoUsd;
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
}

export const printUsage = (by: string, lines: readonly UsageLine[]): string => {
  const row = (key: string, sums: Omit<UsageLine, 'key'>): string[] => [
    key,
    grouped(sums.calls),
    grouped(sums.inputTokens),
    grouped(sums.outputTokens),
    dollars(sums.charged),
  ];
  const sum = { charged: 0n, calls: 0n, inputTokens: 0n, outputTokens: 0n };
  for (const line of lines) {
    sum.charged += line.charged;
    sum.calls += line.calls;
    sum.inputTokens += line.inputTokens;
    sum.outputTokens += line.outputTokens;
  }
  const rows = lines.map((line) => row(line.key === '' ? '(none)' : line.key, line));
  return printTable(
    [by.toUpperCase(), 'CALLS', 'INPUT', 'OUTPUT', 'COST'],
    lines.length > 1 ? [...rows, row('total', sum)] : rows,
  );
};
