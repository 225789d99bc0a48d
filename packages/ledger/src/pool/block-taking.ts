import { decideBlock, type BlockQuestion } from './block-decision.ts';
import type { Block } from './block-source.ts';
import type { DenyReason } from '../lease-port.ts';

/**
 * What to take besides the blocks that were taken before and are not known to have been loaded: 0 where they cover what
 * is short. Whoever is short loads those first, so that a crash between a block's commit and its load strands nothing.
 */
export type BlockTaking =
  { readonly kind: 'take'; readonly amount: bigint } | { readonly kind: 'refused'; readonly reason: DenyReason };

export const takeNext = (unloaded: readonly Block[], question: BlockQuestion): BlockTaking => {
  const waiting = unloaded.reduce((sum, { amount }) => sum + amount, 0n);
  if (unloaded.length > 0 && waiting >= question.short) return { kind: 'take', amount: 0n };
  const decision = decideBlock({ ...question, short: question.short - waiting });
  return decision.fits ? { kind: 'take', amount: decision.amount } : { kind: 'refused', reason: decision.reason };
};
