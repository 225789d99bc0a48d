/** The bill of a wrapped command: what it asked, what that cost, what is left. */
import { formatUsd } from '@tollgate/metering';
import type { NanoUsd } from '@tollgate/metering';
import { dollars, grouped } from './dollars.ts';
import { printTable } from './table.ts';

export interface BillLine {
  /** `openai/gpt-4o-mini` */
  readonly model: string;
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly charged: NanoUsd;
}

export interface Bill {
  readonly lines: readonly BillLine[];
  readonly budget: NanoUsd;
  readonly refused: number;
  readonly isMock: boolean;
}

export const spentOf = ({ lines }: Pick<Bill, 'lines'>): NanoUsd =>
  lines.reduce((sum, { charged }) => sum + charged, 0n);

export const printBill = (bill: Bill): string => {
  const { lines, budget, refused, isMock } = bill;
  const spent = spentOf(bill);
  const sums = total(lines);
  const row = ({ model, calls, inputTokens, outputTokens, charged }: BillLine): string[] => [
    model,
    grouped(calls),
    grouped(inputTokens),
    grouped(outputTokens),
    dollars(charged),
  ];
  const table =
    lines.length === 0
      ? 'no metered call was made\n'
      : printTable(
          ['MODEL', 'CALLS', 'INPUT', 'OUTPUT', 'COST'],
          [...lines.map(row), ...(lines.length > 1 ? [row({ model: 'total', ...sums, charged: spent })] : [])],
        );
  const facts = [
    `spent ${dollars(spent)} of ${dollars(budget)}`,
    `${dollars(budget - spent)} left`,
    `${grouped(refused)} refused`,
  ];
  return `tollgate: the bill${isMock ? ' (MOCK: simulated answers, nobody was charged)' : ''}\n${indent(table)}  ${facts.join(', ')}\n`;
};

/** One line of JSON; amounts are decimal strings of US dollars. */
export const billJson = (bill: Bill): string => {
  const spent = spentOf(bill);
  return `${JSON.stringify({
    mock: bill.isMock,
    budgetUsd: formatUsd(bill.budget),
    spentUsd: formatUsd(spent),
    remainingUsd: formatUsd(bill.budget - spent),
    calls: Number(total(bill.lines).calls),
    refused: bill.refused,
    models: bill.lines.map(({ model, calls, inputTokens, outputTokens, charged }) => ({
      model,
      calls: Number(calls),
      inputTokens: Number(inputTokens),
      outputTokens: Number(outputTokens),
      costUsd: formatUsd(charged),
    })),
  })}\n`;
};

const total = (lines: readonly BillLine[]): Pick<BillLine, 'calls' | 'inputTokens' | 'outputTokens'> => {
  const sum = { calls: 0n, inputTokens: 0n, outputTokens: 0n };
  for (const line of lines) {
    sum.calls += line.calls;
    sum.inputTokens += line.inputTokens;
    sum.outputTokens += line.outputTokens;
  }
  return sum;
};

const indent = (text: string): string => text.replace(/^(?=.)/gm, '  ');
