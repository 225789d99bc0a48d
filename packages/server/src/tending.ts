/** What falls due by itself: blocks and leases of the pool, and the store's own housekeeping. Every server may do all of it. */
import type { Pool } from '@tollgate/ledger/pool';
import type { Logger, Timers } from '@tollgate/runtime';
import { StoreUnavailable, type Store } from '@tollgate/store';
import { budgetName } from './resources/counter-terms.ts';
import type { ResourcesInForce } from './resources/resources-in-force.ts';

export interface TendingDeps {
  readonly pool: Pick<Pool, 'tend'>;
  readonly store: Pick<Store, 'ping' | 'tend' | 'releaseOverdue'>;
  readonly inForce: Pick<ResourcesInForce, 'now'>;
  /** The ledger's clock: milliseconds since 1970, UTC. */
  readonly clock: () => number;
  readonly timers: Timers;
  readonly logger: Logger;
  /** What this server remembers is of another database: it cannot go on. */
  readonly onReplaced: () => void;
}

export interface Tending {
  /** Now, besides its turn. A fault is logged, and what was not done is done at the next turn. */
  tendPool(): Promise<void>;
  stop(): void;
}

const EVERY_MS = 5_000;
/** Until a budget of `unresolvedPolicy: Release` gets back what a lost proxy took: a node that was only away has come back. */
const UNRESOLVED_MS = 3_600_000;

export const startTending = ({ pool, store, inForce, clock, timers, logger, onReplaced }: TendingDeps): Tending => {
  const tendPool = (): Promise<void> =>
    pool.tend().catch((err: unknown) => {
      logger.warn({ err }, 'pool not tended');
    });
  const tendStore = async (): Promise<void> => {
    const now = clock();
    await store.ping();
    await store.tend(now);
    const budgets = inForce
      .now()
      .budgets.filter(({ spec }) => spec.unresolvedPolicy === 'Release')
      .map(({ metadata }) => budgetName(metadata));
    for (const { id, amount, budget } of await store.releaseOverdue({ budgets, before: now - UNRESOLVED_MS }, now)) {
      logger.info({ resource: id, amount, budget, reason: 'unresolvedPolicy: Release' }, 'unresolved amount released');
    }
  };
  const tend = (): void => {
    void tendPool();
    tendStore().catch((err: unknown) => {
      if (err instanceof StoreUnavailable && err.reason === 'replaced') onReplaced();
      else logger.warn({ err }, 'store not tended');
    });
    cancel = timers.after(EVERY_MS, tend);
  };
  let cancel = timers.after(EVERY_MS, tend);
  return { tendPool, stop: () => cancel() };
};
