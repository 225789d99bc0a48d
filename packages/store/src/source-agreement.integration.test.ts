import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  checkAgreement,
  memorySource,
  playSourceScript,
  SOURCE_BEGINNING,
  SOURCE_SCRIPT,
  type SourceStep,
} from '@tollgate/ledger/contract';
import { startPglite, type TestPglite } from './testing/pglite.ts';
import { startPostgres, type TestPostgres } from './testing/postgres.ts';
import { openBareStore, sourceOn, type OpenStore } from './testing/store-source.ts';

/** A sequence is some 150 statements: `make test-adapters` plays more of them. PGlite takes one at a time. */
const COUNT = Number(process.env['ADAPTER_SQL_SEQUENCES'] ?? 60);
const LITE_COUNT = Number(process.env['ADAPTER_LITE_SEQUENCES'] ?? Math.ceil(COUNT / 4));
const SEED = Number(process.env['ADAPTER_SEED'] ?? 1);
/** Each with a database of its own, since a database has but one shared pool. */
const DATABASES = 4;

let lite: TestPglite;
let postgres: TestPostgres;
const stores: OpenStore[] = [];

beforeAll(async () => {
  [lite, postgres] = await Promise.all([startPglite(), startPostgres()]);
}, 60_000);

afterAll(async () => {
  for (const { store } of stores) await store.close();
  await Promise.all([lite.stop(), postgres.stop()]);
});

const opened = async (connectionString: string, max: number): Promise<OpenStore> => {
  const open = await openBareStore(connectionString, max);
  stores.push(open);
  return open;
};

const agree = async (store: OpenStore, steps: readonly SourceStep[]): Promise<void> => {
  const prefix = randomUUID().slice(0, 13);
  const expected = await playSourceScript(memorySource(), steps, prefix);
  const answers = await playSourceScript(sourceOn(store), steps, prefix);
  if (!isDeepStrictEqual(answers, expected)) expect(answers).toEqual(expected);
};

const ONCE_DIFFERENT: readonly (readonly [string, readonly SourceStep[]])[] = [
  [
    'who has left an epoch that it never joined joins it no more',
    [
      { kind: 'close', who: 0, epoch: 1 },
      { kind: 'join', who: 0, epoch: 1 },
    ],
  ],
  [
    'who is over is unknown to an epoch that is sealed',
    [{ kind: 'succeed' }, { kind: 'close', who: 0, epoch: null }, { kind: 'join', who: 0, epoch: 0 }],
  ],
  [
    'a block is loaded in its own epoch only',
    [
      { kind: 'loaded', epoch: 1, block: 0 },
      { kind: 'allocate', epoch: 0, counter: 0, need: 1n, short: 1n, max: 100n },
    ],
  ],
  [
    'a maximum that was lowered holds for blocks that nobody loaded',
    [
      { kind: 'allocate', epoch: 0, counter: 0, need: 1n, short: 1n, max: 40n },
      { kind: 'unloaded', epoch: 0 },
    ],
  ],
];

describe('blocks and epochs', () => {
  it.each(ONCE_DIFFERENT)('%s, in PostgreSQL, PGlite and memory', async (_what, steps) => {
    const databases = [await postgres.database(), lite.connectionString];
    for (const connectionString of databases) {
      const open = await openBareStore(connectionString, 1);
      await agree(open, [...SOURCE_BEGINNING, ...steps]).finally(() => open.store.close());
    }
  });

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
