/**
 * What is wrong with the world around this proxy, in one place: from what its parts know to one of three states. `fresh`:
 * nothing. `degraded`: calls go on, by what is in hand. `refusing`: no call under a Hard budget is taken on.
 */
import type { DegradedReason } from '@tollgate/ledger';
import type { EscrowStats } from '@tollgate/ledger/escrow';

export interface Condition {
  readonly state: 'fresh' | 'degraded' | 'refusing';
  readonly reasons: readonly DegradedReason[];
}

export interface ConditionFacts {
  readonly escrow: Pick<EscrowStats, 'outageMs' | 'isOverdrawing' | 'spoolTrouble'>;
  readonly isPolicyStale: boolean;
  readonly isSpoolDamaged: boolean;
}

const REFUSING: ReadonlySet<DegradedReason> = new Set(['policy_stale', 'spool_full', 'spool_disk', 'spool_lost']);

export const conditionOf = ({ escrow, isPolicyStale, isSpoolDamaged }: ConditionFacts): Condition => {
  const reasons: DegradedReason[] = [];
  if (escrow.outageMs !== null) reasons.push('ledger_unreachable');
  if (escrow.isOverdrawing) reasons.push('overdraft');
  if (isPolicyStale) reasons.push('policy_stale');
  if (escrow.spoolTrouble !== null) reasons.push(`spool_${escrow.spoolTrouble}`);
  if (isSpoolDamaged) reasons.push('spool_damaged');
  if (reasons.length === 0) return FRESH;
  return { state: reasons.some((reason) => REFUSING.has(reason)) ? 'refusing' : 'degraded', reasons };
};

const FRESH: Condition = { state: 'fresh', reasons: [] };

/** Calls could not be recorded: none should be sent here. A stale policy is everybody's, and no reason to leave a pod. */
export const unreadyReason = ({ reasons }: Condition): DegradedReason | null =>
  reasons.find((reason) => reason === 'spool_full' || reason === 'spool_disk' || reason === 'spool_lost') ?? null;
