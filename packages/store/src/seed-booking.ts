import type { CounterTerms } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';
import { lockAround, nameValues, readAround, type CounterRow } from './counter-row.ts';
import { isSeedDue, seededSince } from './seed-span.ts';
import { NO_SEED, type Seed } from './seed.ts';

/**
 * Seeds become rows: a counter is made with what it starts from, and one that comes back is brought up to it. All of it
 * is allocated and spent at once, without a lease, in the epoch ''.
 */
export const bookSeed = async (tx: Transaction, terms: CounterTerms, seed: Seed): Promise<void> => {
  if (await makeCounter(tx, terms, seed)) return;
  const rows = await lockAround(tx, terms);
  const row = rows.find(({ window_id }) => window_id === terms.window.id);
  // Another server was first: what it read under this definition is booked.
  if (!row || seededSince(rows) >= seed.since) return;
  await raise(tx, terms, row, { ...(await missing(tx, terms, row, seed)), since: seed.since });
};

/** What `bookSeed` would add to what the counter says now; books nothing. */
export const unbookedOf = async (
  tx: Transaction,
  terms: CounterTerms,
  seed: Seed,
): Promise<Pick<Seed, 'spent' | 'open'>> => {
  const rows = await readAround(tx, terms);
  const row = rows.find(({ window_id }) => window_id === terms.window.id);
  if (!row) return seed;
  return isSeedDue(terms, row.defined_ms, seededSince(rows)) ? missing(tx, terms, row, seed) : NO_SEED;
};

/** There, and nothing to seed. */
export const isInPlace = async (tx: Transaction, terms: CounterTerms): Promise<boolean> => {
  const rows = await readAround(tx, terms);
  const row = rows.find(({ window_id }) => window_id === terms.window.id);
  return row !== undefined && !isSeedDue(terms, row.defined_ms, seededSince(rows));
};

/** False: another made it first. */
const makeCounter = async (tx: Transaction, terms: CounterTerms, seed: Seed): Promise<boolean> => {
  const [made] = await tx.query<{ id: bigint }>(
    `INSERT INTO counter (budget, limit_name, partition_value, window_id, window_start_ms, window_end_ms, sliding, unit,
                          limit_max, ceiling, seeded, allocated, settled, unresolved, seeded_since_ms)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, greatest($9::bigint, $10::bigint), $10, $10, $11, $12, $13)
     ON CONFLICT (budget, limit_name, partition_value, window_id) DO NOTHING RETURNING id`,
    [
      ...nameValues(terms),
      terms.window.id,
      terms.window.start,
      terms.window.end,
      terms.sliding !== null,
      terms.unit,
      terms.max,
      seed.spent + seed.open,
      seed.spent,
      seed.open,
      seed.since,
    ],
  );
  if (made) await addToEpoch(tx, made.id, seed);
  return made !== undefined;
};

/**
 * Of a calendar window the seed is all that the counter has not been charged itself, so what was seeded before is part
 * of it; leases that were open then may be among the events by now. Of a sliding one it is what came since. What was
 * released meanwhile is not seeded any more.
 */
const missing = async (
  tx: Transaction,
  { sliding }: CounterTerms,
  { id, seeded }: CounterRow,
  { spent, open }: Seed,
): Promise<Pick<Seed, 'spent' | 'open'>> => {
  if (sliding) return { spent, open };
  const [before] = await tx.query<{ open: bigint; released: bigint }>(
    `SELECT unresolved AS open, refunded AS released FROM counter_epoch WHERE counter_id = $1 AND epoch = ''`,
    [id],
  );
  const openBefore = before?.open ?? 0n;
  const spentBefore = seeded - (before?.released ?? 0n) - openBefore;
  const spentNow = max(spentBefore, spent);
  const takenNow = max(spentBefore + openBefore, spent + open);
  return { spent: spentNow - spentBefore, open: takenNow - spentNow - openBefore };
};

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The counter must be locked. */
const raise = async (tx: Transaction, terms: CounterTerms, { id }: CounterRow, seed: Seed): Promise<void> => {
  await tx.query(
    `UPDATE counter SET seeded_since_ms = $5, seeded = seeded + $2::bigint, allocated = allocated + $2::bigint,
       settled = settled + $3, unresolved = unresolved + $4, limit_max = $6,
       ceiling = greatest($6::bigint, allocated - refunded + $2::bigint)
     WHERE id = $1`,
    [id, seed.spent + seed.open, seed.spent, seed.open, seed.since, terms.max],
  );
  await addToEpoch(tx, id, seed);
};

const addToEpoch = async (
  tx: Transaction,
  id: bigint,
  { spent, open }: Pick<Seed, 'spent' | 'open'>,
): Promise<void> => {
  if (spent === 0n && open === 0n) return;
  await tx.query(
    `INSERT INTO counter_epoch (counter_id, epoch, allocated, settled, unresolved) VALUES ($1, '', $2, $3, $4)
     ON CONFLICT (counter_id, epoch) DO UPDATE SET allocated = counter_epoch.allocated + excluded.allocated,
       settled = counter_epoch.settled + excluded.settled, unresolved = counter_epoch.unresolved + excluded.unresolved`,
    [id, spent + open, spent, open],
  );
};
