import type { SnapshotLimit } from '@tollgate/api';
import { matchingLimits, partitionOf } from '@tollgate/budget';
import { inputTokens, outputTokens, totalTokens } from '@tollgate/metering';
import { bindBudget, type Place } from '@tollgate/snapshots';
import type { SeedEvent } from '@tollgate/store';
import type { LimitInForce } from './counter-terms.ts';

/**
 * What a limit would have been charged for an event, had it been in force: 0 where the event is none of its own. `place` is
 * that of the event's subject; labels of its namespace are those of now, since events do not carry them.
 */
export const seedAmount = (
  { manifest, limit }: LimitInForce,
  partition: string,
  event: SeedEvent,
  place: Place,
): bigint => {
  const bound = bindBudget(manifest, place);
  if (!bound || partitionOf(limit.partitionBy, event.subject, event.user) !== partition) return 0n;
  const counts = matchingLimits([bound], event.modelSent ?? event.modelAsked).some(
    (match) => match.limit.name === limit.name,
  );
  return counts ? amountOf(limit, event) : 0n;
};

const amountOf = ({ unit, count }: SnapshotLimit, event: SeedEvent): bigint => {
  switch (unit) {
    case 'cost':
      return event.charged;
    case 'tokens':
      return BigInt(COUNTED[count](event.usage));
    case 'requests':
      return event.settle === 'void' ? 0n : 1n;
    default:
      return unit satisfies never;
  }
};

const COUNTED: Readonly<Record<SnapshotLimit['count'], (usage: SeedEvent['usage']) => number>> = {
  Total: totalTokens,
  Input: inputTokens,
  Output: outputTokens,
};
