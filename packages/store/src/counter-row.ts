import type { LimitUnit } from '@tollgate/api';
import type { CounterName } from '@tollgate/ledger';
import type { CounterTerms } from '@tollgate/ledger/pool';
import { foldLocked } from './charge-fold.ts';
import type { Transaction } from './connection.ts';
import { storable, storableJson } from './storable.ts';

/** Rows of `counter`: finding, making and locking them. Whoever locks several does so by rising id, so none deadlock. */
export interface CounterRow {
  readonly id: bigint;
  readonly window_id: string;
  readonly window_start_ms: bigint;
  readonly allocated: bigint;
  readonly refunded: bigint;
  readonly settled: bigint;
  readonly unresolved: bigint;
  /** The maximum that was asked under last. */
  readonly limit_max: bigint;
  /** What of `settled` and `unresolved` came from events and leases that did not name the counter. */
  readonly seeded: bigint;
  /** The definition of its limit that it was last seeded under. */
  readonly seeded_since_ms: bigint;
  /** Since when its limit has been what it is; null: it is not in force. */
  readonly defined_ms: bigint | null;
}

const COLUMNS = `id, window_id, window_start_ms, allocated, refunded, settled, unresolved, limit_max, seeded, seeded_since_ms,
  (SELECT d.since_ms FROM limit_definition d WHERE d.budget = counter.budget AND d.limit_name = counter.limit_name) AS defined_ms`;

/**
 * The counter in its window, locked, with all that was charged to it by now; for a sliding limit with all buckets that can
 * share a sum with it.
 */
export const lockAround = async (tx: Transaction, terms: CounterTerms): Promise<readonly CounterRow[]> => {
  if (terms.sliding) await tx.query(ONE_AT_A_TIME, [nameValues(terms).join('\n')]);
  const rows = await readAround(tx, terms, 'lock');
  const ids = rows.map(({ id }) => id);
  return (await foldLocked(tx, ids)) ? readAround(tx, terms, 'lock') : rows;
};

/**
 * Buckets are rows of their own, and a row that was made while we waited for another's lock is none that we see. Whoever
 * decides over a sliding limit waits here, before looking at all.
 */
const ONE_AT_A_TIME = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';

export const readAround = async (
  tx: Transaction,
  terms: CounterTerms,
  lock: 'lock' | 'look' = 'look',
): Promise<readonly CounterRow[]> => {
  const { sliding, window } = terms;
  if (!sliding) return tx.query<CounterRow>(ONE_WINDOW[lock], [...nameValues(terms), window.id]);
  const span = (sliding.buckets - 1) * sliding.bucketMs;
  const from = window.start - span;
  return tx.query<CounterRow>(BUCKETS[lock], [
    ...nameValues(terms),
    from,
    window.start + span,
    terms.unit,
    sliding.bucketMs,
  ]);
};

const LOOK_AT_WINDOW = `SELECT ${COLUMNS} FROM counter
  WHERE budget = $1 AND limit_name = $2 AND partition_value = $3 AND window_id = $4`;
const ONE_WINDOW = { look: LOOK_AT_WINDOW, lock: `${LOOK_AT_WINDOW} FOR UPDATE` } as const;

const LOOK_AT_BUCKETS = `SELECT ${COLUMNS} FROM counter
  WHERE budget = $1 AND limit_name = $2 AND partition_value = $3
    AND window_start_ms BETWEEN $4 AND $5 AND sliding AND unit = $6 AND window_end_ms - window_start_ms = $7 ORDER BY id`;
const BUCKETS = { look: LOOK_AT_BUCKETS, lock: `${LOOK_AT_BUCKETS} FOR UPDATE` } as const;

export const lockCounters = async (tx: Transaction, ids: readonly bigint[]): Promise<void> => {
  await tx.query('SELECT id FROM counter WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [ids]);
};

export interface CounterKey extends CounterName {
  readonly windowId: string;
}

/** The ids of counters by name and window; undefined where there is no such row. */
export const findCounterIds = async (
  tx: Transaction,
  keys: readonly CounterKey[],
): Promise<readonly (bigint | undefined)[]> => {
  const rows = await tx.query<{ n: number; id: bigint }>(
    `SELECT k.n, c.id
     FROM json_to_recordset($1::json) AS k(n int, budget text, "limit" text, "partition" text, "windowId" text)
     JOIN counter c ON c.budget = k.budget AND c.limit_name = k."limit" AND c.partition_value = k."partition"
                   AND c.window_id = k."windowId"`,
    [
      storableJson(
        keys.map(({ budget, limit, partition, windowId }, n) => ({ n, budget, limit, partition, windowId })),
      ),
    ],
  );
  const ids = new Map(rows.map((row) => [row.n, row.id]));
  return keys.map((_, n) => ids.get(n));
};

/**
 * A charge against a counter that this database never had, as after a restore from an old copy: the truth is booked,
 * under a limit of nothing, since what the limit was can no longer be told.
 */
export const createStrayCounter = async (tx: Transaction, key: CounterKey, unit: LimitUnit): Promise<void> => {
  await tx.query(
    `INSERT INTO counter (budget, limit_name, partition_value, window_id, window_start_ms, unit, limit_max, ceiling)
     VALUES ($1, $2, $3, $4, 0, $5, 0, 0) ON CONFLICT (budget, limit_name, partition_value, window_id) DO NOTHING`,
    [...nameValues(key), key.windowId, unit],
  );
};

/** A partition may be what a caller calls itself. */
export const nameValues = ({ budget, limit, partition }: CounterName): readonly string[] =>
  [budget, limit, partition].map(storable);
