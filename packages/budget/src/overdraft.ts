/** The counter that a Hard budget's overdraft is leased from: spent in an outage alone, and counted beside its limits. */
import type { Period, SnapshotBudget, SnapshotLimit } from '@tollgate/api';

/** Its limit's name: no manifest can give one a name like it. */
export const OVERDRAFT_LIMIT = '#overdraft';

const LONGER: readonly Period[] = ['Minute', 'Hour', 'Day', 'Week', 'Month', 'Total'];

/**
 * As a limit of the budget: the whole amount, once in the longest window of its cost limits, so that in no window of any
 * of them more than the limit and the overdraft is spent. One for all partitions. Null where there is none to have.
 */
export const overdraftLimit = ({ enforcement, overdraft, limits }: SnapshotBudget): SnapshotLimit | null => {
  if (enforcement !== 'Hard' || overdraft === null) return null;
  const [longest] = limits
    .filter(({ unit }) => unit === 'cost')
    .toSorted((a, b) => LONGER.indexOf(b.period) - LONGER.indexOf(a.period) || slidingFirst(a) - slidingFirst(b));
  if (longest === undefined) return null;
  return { ...longest, name: OVERDRAFT_LIMIT, max: overdraft.amount, models: [], partitionBy: 'Budget' };
};

/** Of two equally long ones the sliding one gives less. */
const slidingFirst = ({ window }: SnapshotLimit): number => (window === 'Sliding' ? 0 : 1);
