/** A scan for people: a table, what stays uncovered and why, and what to do next. */
import { printTable } from '../../format/table.ts';
import type { ScannedWorkload } from './scan-workload.ts';

export interface ScanReport {
  readonly workloads: readonly ScannedWorkload[];
  /** Null: not known to its reader. */
  readonly installed: boolean | null;
  /** What its reader may not see. */
  readonly unread: readonly string[];
}

const COVERED = { Full: 'yes', Partial: 'partly', None: 'no', Unknown: 'unknown' } as const;

export const printScan = ({ workloads, installed, unread }: ScanReport): string =>
  [
    workloads.length > 0
      ? tableOf(workloads)
      : unread.length === 0
        ? NOTHING
        : `Of what could be read, ${NOTHING_THERE}`,
    ...workloads.filter(({ notes }) => notes.length > 0).map(notesOf),
    ...(workloads.length === 0 ? [] : [`${nextStep(workloads, installed)}\n`]),
    ...(unread.length === 0 ? [] : [`Not everything could be read:\n${unread.map((why) => `  ${why}\n`).join('')}`]),
  ].join('\n');

const NOTHING_THERE = 'no workload names a key or a base URL of a language model.\n';
const NOTHING = `N${NOTHING_THERE.slice(1)}`;

const tableOf = (workloads: readonly ScannedWorkload[]): string =>
  printTable(
    ['NAMESPACE', 'WORKLOAD', 'PODS', 'CALLS', 'ASKS', 'COVERED'],
    workloads.map((workload) => [
      workload.namespace,
      nameOf(workload),
      workload.pods === null ? '-' : String(workload.pods),
      workload.providers.join(',') || '?',
      workload.asks ? 'yes' : 'no',
      COVERED[workload.coverage],
    ]),
  );

const notesOf = (workload: ScannedWorkload): string => {
  const reason = workload.reason === null ? '' : ` (${workload.reason})`;
  const notes = workload.notes.map((note) => `  ${plain(note)}\n`);
  return `${workload.namespace} ${nameOf(workload)}${reason}\n${notes.join('')}`;
};

const nameOf = ({ kind, name }: ScannedWorkload): string => `${kind.toLowerCase()}/${name}`;

const nextStep = (workloads: readonly ScannedWorkload[], installed: boolean | null): string => {
  const able = workloads.filter(({ reason }) => reason === null);
  const whole = able.filter(({ coverage }) => coverage === 'Full');
  const first = able.find(({ next }) => next !== null);
  const sum = `${String(workloads.length)} ${workloads.length === 1 ? 'workload shows' : 'workloads show'} signs of calls to language models; injection covers ${String(whole.length)} whole.`;
  const install =
    installed !== false
      ? []
      : ['  helm install tollgate charts/tollgate --namespace tollgate-system --create-namespace --wait'];
  const next = [...install, ...(first?.next == null ? [] : [`  ${first.next}`])];
  return next.length === 0 ? sum : `${sum} Next:\n${next.join('\n')}`;
};

/** Notes quote names of variables, which their author chose. */
const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
