/** The ledger's section of docs/benchmarks.md. Pure. */
import type { Machine } from '../machine.ts';
import { verdictOf } from './finding.ts';
import type { Finding, Goal } from './finding.ts';

export interface LedgerReport {
  readonly findings: readonly Finding[];
  readonly rounds: number;
  readonly machine: Machine;
  readonly date: string;
  /** Of what could not be measured: why. */
  readonly faults: readonly string[];
}

export const ledgerReport = ({ findings, rounds, machine, date, faults }: LedgerReport): string => {
  const missed = findings.filter((finding) => verdictOf(finding) === 'missed' && finding.next !== undefined);
  return [
    `## The ledger

Made by \`make bench-ledger\` on ${date}: ${String(machine.cores)} cores (${machine.model}), ${String(machine.memoryGiB)} GiB, Node ${machine.node}, PostgreSQL 15
with fsync, Redis 7 without persistence, loopback; clients, servers and stores share the cores. Medians of ${String(rounds)} rounds. The machine is
shared: trust the ratios to what the same run measured beside them, not digits.

| | measured | goal | | beside |
|---|---|---|---|---|
${findings.map(row).join('\n')}`,
    ...(missed.length === 0
      ? []
      : [
          `What was missed, and what comes next:\n\n${missed.map(({ what, next }) => `- ${what}: ${String(next)}`).join('\n')}`,
        ]),
    ...(faults.length === 0 ? [] : [`Not measured:\n\n${faults.map((fault) => `- ${fault}`).join('\n')}`]),
  ].join('\n\n');
};

const VERDICTS = { met: 'met', missed: '**missed**', 'not measured': '**not measured**', 'no goal': '' } as const;

const row = (finding: Finding): string =>
  `| ${finding.what} | ${figure(finding.value)} | ${goalText(finding.goal)} | ${VERDICTS[verdictOf(finding)]} | ${finding.beside} |`;

const SIGNS = { most: '≤', least: '≥', below: '<' } as const;

const goalText = (goal: Goal | null): string => (goal === null ? '' : `${SIGNS[goal.kind]} ${figure(goal.bound)}`);

/** Three digits that count, and thousands grouped: 25,312 · 4.31 · 0.0132 */
export const figure = (value: number): string => {
  if (Number.isNaN(value)) return '–';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
};
