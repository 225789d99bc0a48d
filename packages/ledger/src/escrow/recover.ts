/**
 * What a former life left behind: an intent without a settlement may have been sent and billed, so it is charged at its
 * hold, under the id it had.
 */
import type { LedgerEvent } from '../event.ts';
import type { Intent } from '../intent.ts';
import type { Spool } from '../spool/spool.ts';

export const settleInterrupted = (spool: Spool, now: number): number => {
  const open = [...spool.lives.values()].flatMap((life) => [...life.open.values()]);
  for (const { intent } of open) spool.settle(interrupted(intent, now));
  return open.length;
};

const interrupted = ({ instance, seq, head, counters }: Intent, now: number): LedgerEvent => ({
  instance,
  seq,
  ...head,
  modelAnswered: null,
  usage: {},
  settle: 'interrupted',
  charged: head.held,
  status: null,
  endedAt: Math.max(now, head.startedAt),
  counters: counters.map((counter) => ({ ...counter, charged: counter.held })),
});
