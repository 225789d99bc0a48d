/** The rows of the fault matrix that the simulation covers, by the kind of fault that stands for each. */
import type { FaultKind } from './schedule.ts';

export interface MatrixRow {
  readonly row: number;
  readonly fault: string;
  readonly kinds: readonly FaultKind[];
}

export const MATRIX: readonly MatrixRow[] = [
  { row: 1, fault: 'proxy killed with calls open', kinds: ['kill'] },
  { row: 2, fault: 'proxy killed at a record of its spool', kinds: ['kill-at-record'] },
  { row: 4, fault: 'disk of the spool full', kinds: ['disk-full'] },
  { row: 5, fault: 'node lost with its spool', kinds: ['lose-node'] },
  { row: 6, fault: 'Redis killed, and back empty', kinds: ['empty-redis'] },
  { row: 7, fault: 'Redis back from an old copy', kinds: ['stale-redis'] },
  { row: 8, fault: 'replica promoted with a lag; there and back', kinds: ['promote-replica', 'flap-redis'] },
  { row: 9, fault: 'Redis flushed, or a key edited by hand', kinds: ['flush-redis', 'edit-redis'] },
  { row: 10, fault: 'Redis paused, slow or cut off', kinds: ['pause-redis', 'slow-redis', 'cut-off-redis'] },
  { row: 11, fault: 'reply lost after the lease was given', kinds: ['lose-replies', 'lose-redis-answers'] },
  { row: 12, fault: 'two Redis at once, with servers on both', kinds: ['split-redis'] },
  { row: 13, fault: 'server killed between a block and its use', kinds: ['kill-server-at-block'] },
  { row: 14, fault: 'Postgres stopped; answers lost after commit', kinds: ['stop-postgres', 'lose-commit-answers'] },
  { row: 16, fault: 'Postgres slow', kinds: ['slow-postgres'] },
  { row: 17, fault: 'partition, one way or both', kinds: ['partition'] },
  { row: 18, fault: 'clock of one party jumps', kinds: ['jump-clock'] },
  { row: 19, fault: 'proxy paused and resumed', kinds: ['pause-proxy'] },
  { row: 20, fault: 'window ends at full load', kinds: ['rush'] },
  { row: 24, fault: 'questions twice and out of order', kinds: ['duplicates'] },
  { row: 25, fault: 'many proxies join and leave at once', kinds: ['crowd'] },
  { row: 26, fault: 'limit lowered, raised or deleted', kinds: ['change-limit'] },
  { row: 27, fault: 'server killed, or restarted in order', kinds: ['kill-server', 'restart-server'] },
];

export const rowOf = (kind: FaultKind): number => {
  const found = MATRIX.find(({ kinds }) => kinds.includes(kind));
  if (!found) throw new TypeError(`${kind} stands for no row of the matrix`);
  return found.row;
};
