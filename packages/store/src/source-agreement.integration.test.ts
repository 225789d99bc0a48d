import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  checkAgreement,
  playSourceScript,
  SOURCE_SCRIPT,
  START,
  type SourceStep,
  type SourceUnderTest,
} from '@tollgate/ledger/contract';
import { makeMemoryBlockSource, type CounterTally } from '@tollgate/ledger/pool';
import { makeConnection, type Connection } from './connection.ts';
import { openStore } from './open-store.ts';
import { storeOn, type Store } from './store.ts';
import { anEvent } from './testing/an-event.ts';
import { startPglite, type TestPglite } from './testing/pglite.ts';
import { startPostgres, type TestPostgres } from './testing/postgres.ts';

/** A sequence is some 150 statements: `make test-adapters` plays more of them. PGlite takes one at a time. */
const COUNT = Number(process.env['ADAPTER_SQL_SEQUENCES'] ?? 60);
const LITE_COUNT = Math.ceil(COUNT / 4);
const SEED = Number(process.env['ADAPTER_SEED'] ?? 1);
/** Each with a database of its own, since a database has but one shared pool. */
const DATABASES = 4;

let lite: TestPglite;
let postgres: TestPostgres;
const stores: OpenStore[] = [];

interface OpenStore {
  readonly store: Store;
  readonly connection: Connection;
}

beforeAll(async () => {
  [lite, postgres] = await Promise.all([startPglite(), startPostgres()]);
}, 60_000);

afterAll(async () => {
  for (const { store } of stores) await store.close();
  await Promise.all([lite.stop(), postgres.stop()]);
});

const opened = async (connectionString: string, max: number): Promise<OpenStore> => {
  // Brings the schema up; the tests go on with a connection that they can ask themselves.
  await (await openStore({ connectionString, max })).close();
  const connection = makeConnection({ connectionString, max });
  const open = { store: storeOn(connection, ''), connection };
  stores.push(open);
  return open;
};

/** Of one sequence: all of them together are too many to be read at every step. */
const talliesOf = (connection: Connection, prefix: string): Promise<readonly CounterTally[]> =>
  connection.transact(
    (tx) =>
      tx.query<CounterTally>(
        `SELECT budget, limit_name AS "limit", partition_value AS "partition", window_id AS "windowId",
                allocated, refunded, settled, unresolved FROM counter WHERE budget = $1`,
        [`${prefix}/pool`],
      ),
    'snapshot',
  );

const storeUnderTest = ({ store, connection }: OpenStore): SourceUnderTest => {
  const seqs = new Map<string, number>();
  const clock = () => START;
  return {
    source: store.blocks({ clock }),
    register: async (instance) => {
      await store.register({ instance, version: '0', subject: anEvent({}).subject }, '', START);
    },
    settle: async ({ instance, charged, ...charge }) => {
      const seq = (seqs.get(instance) ?? 0) + 1;
      seqs.set(instance, seq);
      const event = anEvent({ instance, seq, counters: [{ ...charge, held: charged, charged }] });
      await store.ingest({ instance, events: [event] }, { now: START, resolve: () => null });
    },
    sealEpoch: (epoch) => store.sealEpoch(epoch, START),
    closeInstance: (instance, epoch) =>
      store.closeInstance({ instance, epoch, lastSeq: seqs.get(instance) ?? 0 }, START),
    tallies: (prefix) => talliesOf(connection, prefix),
  };
};

const memoryUnderTest = (): SourceUnderTest => {
  const source = makeMemoryBlockSource();
  return {
    source,
    register: async (instance) => {
      source.register(instance);
    },
    settle: async (charge) => {
      source.settle([charge]);
    },
    sealEpoch: async (epoch) => {
      source.sealEpoch(epoch);
    },
    closeInstance: async (instance, epoch) => source.closeInstance(instance, epoch),
    tallies: async () => source.tallies(),
  };
};

const agree = async (store: OpenStore, steps: readonly SourceStep[]): Promise<void> => {
  const prefix = randomUUID().slice(0, 13);
  const expected = await playSourceScript(memoryUnderTest(), steps, prefix);
  const answers = await playSourceScript(storeUnderTest(store), steps, prefix);
  if (!isDeepStrictEqual(answers, expected)) expect(answers).toEqual(expected);
};

describe('blocks and epochs', () => {
  it(
    `are answered by PostgreSQL as in memory, in ${String(COUNT)} random sequences`,
    async () => {
      const workers = await Promise.all(
        Array.from({ length: DATABASES }, async () => opened(await postgres.database(), 2)),
      );
      await checkAgreement({ cases: SOURCE_SCRIPT, count: COUNT, seed: SEED, workers, agree });
    },
    60_000 + COUNT * 1_000,
  );

  it(
    `are answered by PGlite as in memory, in ${String(LITE_COUNT)} random sequences`,
    async () => {
      const workers = [await opened(lite.connectionString, 1)];
      await checkAgreement({ cases: SOURCE_SCRIPT, count: LITE_COUNT, seed: SEED, workers, agree });
    },
    60_000 + LITE_COUNT * 3_000,
  );
});
