import { START, type SourceUnderTest } from '@tollgate/ledger/contract';
import type { CounterTally } from '@tollgate/ledger/pool';
import { makeConnection, type Connection } from '../connection.ts';
import { openStore } from '../open-store.ts';
import { storeOn, type Store } from '../store.ts';
import { anEvent } from './an-event.ts';

/** A store with its connection in the test's hand. */
export interface OpenStore {
  readonly store: Store;
  readonly connection: Connection;
}

export const openBareStore = async (connectionString: string, max: number): Promise<OpenStore> => {
  // Brings the schema up; the test goes on with a connection that it can ask itself.
  await (await openStore({ connectionString, max })).close();
  const connection = makeConnection({ connectionString, max });
  return { store: storeOn(connection, ''), connection };
};

/** The block source of a store, as the contract's scripts ask it. */
export const sourceOn = ({ store, connection }: OpenStore): SourceUnderTest => {
  const seqs = new Map<string, number>();
  return {
    source: store.blocks({ clock: () => START }),
    register: async (instance, epoch = '') => {
      await store.register({ instance, version: '0', subject: anEvent({}).subject }, epoch, START);
    },
    settle: async ({ instance, budget, limit, partition, windowId, epoch, charged }) => {
      const seq = (seqs.get(instance) ?? 0) + 1;
      seqs.set(instance, seq);
      const counters = [{ budget, limit, partition, windowId, epoch, held: charged, charged }];
      await store.ingest(
        { instance, events: [anEvent({ instance, seq, counters })] },
        { now: START, resolve: () => null },
      );
    },
    sealEpoch: (epoch) => store.sealEpoch(epoch, START),
    closeInstance: (instance, epoch) =>
      store.closeInstance({ instance, epoch, lastSeq: seqs.get(instance) ?? 0 }, START),
    tallies: (prefix) => talliesOf(connection, prefix),
    release: () => store.close(),
  };
};

/** Of some budgets, with what is not folded yet: all that a database has seen may be too many to be read at every step. */
const talliesOf = (connection: Connection, prefix: string): Promise<readonly CounterTally[]> =>
  connection.transact(
    (tx) =>
      tx.query<CounterTally>(
        `SELECT c.budget, c.limit_name AS "limit", c.partition_value AS "partition", c.window_id AS "windowId",
                (c.allocated + d.allocated)::bigint AS allocated, c.refunded, (c.settled + d.charged)::bigint AS settled,
                (c.unresolved + d.unresolved)::bigint AS unresolved
         FROM counter c
         LEFT JOIN LATERAL (SELECT coalesce(sum(allocated), 0) AS allocated, coalesce(sum(charged), 0) AS charged,
                                   coalesce(sum(unresolved), 0) AS unresolved
                            FROM charge_delta WHERE counter_id = c.id) AS d ON true
         WHERE c.budget >= $1 AND c.budget < $1 || '~' ORDER BY c.id`,
        [prefix],
      ),
    'snapshot',
  );
