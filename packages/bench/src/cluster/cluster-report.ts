/** The cluster's section of docs/benchmarks.md, from what the end-to-end suite has measured. Pure. */
import type { Machine } from '../machine.ts';

/** As `e2e/src/cluster/testing/figures.ts` writes it. */
export interface ClusterFigure {
  readonly what: string;
  readonly percentiles: Readonly<Record<string, number>>;
  readonly unit: string;
  readonly measurements: number;
}

/** By the name of what was measured. */
export type ClusterFigures = Readonly<Record<string, readonly ClusterFigure[]>>;

export interface ClusterReport {
  readonly figures: ClusterFigures;
  readonly machine: Machine;
  readonly date: string;
}

const COLUMNS = ['p50', 'p99', 'max'];

/** Throws where a run has left out what the section is about. */
export const clusterReport = ({ figures, machine, date }: ClusterReport): string => {
  const { snapshots = [], injection = [] } = figures;
  const [fanOut] = snapshots;
  // Without, with, and the difference of each pair.
  const added = injection[2];
  if (fanOut === undefined || added === undefined)
    throw new Error('the figures are not all there: run "make bench-cluster"');
  return `## On a cluster

Made by \`make bench-cluster\` on ${date}, a part of the end-to-end suite on its one-node cluster: ${String(machine.cores)} cores (${machine.model}),
${String(machine.memoryGiB)} GiB, shared by Kubernetes, PostgreSQL, Redis, Tollgate, twelve applications and who measures, and with other work of the
machine. Two servers, two injectors, the chart's defaults. Milliseconds.

| | p50 | p99 | most | of |
|---|---|---|---|---|
${[...snapshots, ...injection].map(row).join('\n')}

| | measured | goal | |
|---|---|---|---|
${goal('a changed budget with the last of 12 running proxies, the slowest of all changes, ms', at(fanOut, 'max'), 2000)}
${goal('added to the making of a pod, p99, ms', at(added, 'p99'), 50)}

A change is from the write of the budget until the last proxy says, asked every 50 ms, that it runs another policy. Pods are made one after the
other, with and without opting in by turns, as dry runs through the whole of admission.`;
};

const at = ({ percentiles }: ClusterFigure, share: string): number => percentiles[share] ?? NaN;

const row = (figure: ClusterFigure): string =>
  `| ${figure.what} | ${COLUMNS.map((share) => shown(at(figure, share))).join(' | ')} | ${String(figure.measurements)} |`;

const goal = (what: string, value: number, below: number): string =>
  `| ${what} | ${shown(value)} | < ${shown(below)} | ${value < below ? 'met' : '**missed**'} |`;

const shown = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Math.round(value * 10) / 10);
