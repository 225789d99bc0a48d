import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { START } from '@tollgate/ledger/contract';
import type { CounterTerms } from '@tollgate/ledger/pool';
import { makeConnection } from './connection.ts';
import { lockAround } from './counter-row.ts';
import { openStore } from './open-store.ts';
import { bookSeed } from './seed-booking.ts';
import { NO_SEED } from './seed.ts';
import type { Store } from './store.ts';
import { DATABASES, type EachDatabase } from './testing/each-database.ts';
import { startPostgres } from './testing/postgres.ts';

const BUCKET_MS = 600_000;
const MAX = 1_000n;

/** A sliding limit of `m` buckets: no `m + 1` consecutive ones may hold more than the limit (design §4.8). */
const terms = (game: string, bucket: number, m: number): CounterTerms => ({
  budget: `default/${game}`,
  limit: 'sliding',
  partition: '',
  unit: 'cost',
  max: MAX,
  window: { id: `s${String(bucket)}`, start: START + bucket * BUCKET_MS, end: START + (bucket + 1) * BUCKET_MS },
  sliding: { buckets: m + 1, bucketMs: BUCKET_MS },
});

/** Of one round, all at once. The clock of each may have been stepped either way. */
const take = fc.record({
  kind: fc.constant('take' as const),
  bucket: fc.integer({ min: 0, max: 14 }),
  need: fc.bigInt({ min: 1n, max: MAX + 1n }),
});
const refund = fc.record({ kind: fc.constant('refund' as const), share: fc.integer({ min: 1, max: 100 }) });
const rounds = fc.array(
  fc.array(fc.oneof({ weight: 3, arbitrary: take }, { weight: 1, arbitrary: refund }), { minLength: 1, maxLength: 6 }),
  {
    minLength: 1,
    maxLength: 8,
  },
);

describe('a bucket that is made while someone waits for its neighbour', () => {
  it('is seen by whoever waited', async () => {
    const postgres = await startPostgres();
    const connectionString = await postgres.database();
    await (await openStore({ connectionString, max: 1 })).close();
    const [one, two, three] = [1, 2, 3].map(() => makeConnection({ connectionString, max: 1 }));
    if (!one || !two || !three) throw new Error('no connection');
    await one.transact((tx) => bookSeed(tx, terms('race', 0, 6), NO_SEED));
    let waited: Promise<readonly string[]> = Promise.resolve([]);
    await one.transact(async (tx) => {
      await lockAround(tx, terms('race', 0, 6));
      waited = two.transact(async (other) =>
        (await lockAround(other, terms('race', 0, 6))).map(({ window_id }) => window_id),
      );
      const waiting = () => three.transact((look) => look.query(`SELECT 1 FROM pg_locks WHERE NOT granted`));
      while ((await waiting()).length === 0) continue;
      await three.transact((maker) => bookSeed(maker, terms('race', 1, 6), NO_SEED));
    });
    expect(await waited).toEqual(['s0', 's1']);
    for (const connection of [one, two, three]) await connection.close();
    await postgres.stop();
  });
});

describe.each(DATABASES)('a sliding limit on %s', (_name, start) => {
  let databases: EachDatabase;
  let store: Store;
  beforeAll(async () => {
    databases = await start();
  }, 60_000);
  afterAll(() => databases.stop());
  beforeEach(async () => {
    store = await databases.open();
  });
  afterEach(() => store.close());

  it('is never exceeded by any run of buckets, whatever is taken, given back and set back at the same time', async () => {
    const blocks = store.blocks({ clock: () => START });
    const epoch = await blocks.openEpoch();
    let game = 0;
    await fc.assert(
      fc.asyncProperty(rounds, fc.constantFrom(1, 3, 6), async (all, m) => {
        game += 1;
        const name = `g${String(game)}`;
        const out = new Map<number, bigint>();
        let refunds = 0;
        for (const round of all) {
          await Promise.all(
            round.map(async (step) => {
              if (step.kind === 'take') {
                const answer = await blocks.allocate({
                  epoch,
                  terms: terms(name, step.bucket, m),
                  need: step.need,
                  short: step.need,
                });
                if (answer.kind !== 'blocks') return;
                const amount = answer.blocks.reduce((sum, block) => sum + block.amount, 0n);
                out.set(step.bucket, (out.get(step.bucket) ?? 0n) + amount);
                return;
              }
              const [bucket, held] = [...out].find(([, amount]) => amount > 0n) ?? [];
              if (bucket === undefined || held === undefined) return;
              const amount = (held * BigInt(step.share)) / 100n;
              if (amount === 0n) return;
              out.set(bucket, held - amount);
              refunds += 1;
              const { budget, limit, partition, window } = terms(name, bucket, m);
              await blocks.refund(epoch, `${name}-${String(refunds)}`, [
                { budget, limit, partition, windowId: window.id, amount },
              ]);
            }),
          );
          const stored = (await store.tallies()).filter(({ budget }) => budget === `default/${name}`);
          const of = (bucket: number): bigint => {
            const row = stored.find(({ windowId }) => windowId === `s${String(bucket)}`);
            return row ? row.allocated - row.refunded : 0n;
          };
          for (let bucket = 0; bucket <= 14; bucket += 1) expect(of(bucket)).toBe(out.get(bucket) ?? 0n);
          for (let first = -m; first <= 14; first += 1) {
            let sum = 0n;
            for (let bucket = first; bucket <= first + m; bucket += 1) sum += of(bucket);
            expect(sum).toBeLessThanOrEqual(MAX);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('lets two who meet at the turn of a bucket have the limit once', async () => {
    const blocks = store.blocks({ clock: () => START });
    const epoch = await blocks.openEpoch();
    for (let game = 0; game < 15; game += 1) {
      // The rows are made by whoever comes first: neither may miss the other's.
      const answers = await Promise.all(
        [0, 1, 0, 1].map((bucket) =>
          blocks.allocate({ epoch, terms: terms(`turn-${String(game)}`, bucket, 6), need: 600n, short: 600n }),
        ),
      );
      expect(answers.filter(({ kind }) => kind === 'blocks')).toHaveLength(1);
    }
  });
});
