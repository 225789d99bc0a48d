import {
  largestSlidingSum,
  slidingRoomAt,
  takeNext,
  type Block,
  type BlockAnswer,
  type BlockRequest,
  type Bucket,
  type CounterTerms,
  type PoolReturn,
  type UnloadedBlock,
} from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';
import { findCounterIds, lockAround, lockCounters, type CounterRow } from './counter-row.ts';
import { readEpoch, shareEpoch } from './epochs.ts';
import { isSeedDue, seededSince } from './seed-span.ts';

/**
 * Blocks: amounts written down as gone before anyone may spend them. Decided by the same pure function as in memory,
 * under the counter's lock; the update checks itself again, and so does the table.
 */
export type BlockOutcome = BlockAnswer | { readonly kind: 'missing' };

/** `missing`: the counter has no row in this window yet, or one from before its limit was away; seed it, and ask again. */
export const allocateBlock = async (
  tx: Transaction,
  { epoch, terms, need, short }: BlockRequest,
  now: number,
): Promise<BlockOutcome> => {
  const inEpoch = await readEpoch(tx, epoch);
  if (inEpoch?.state !== 'open') return { kind: 'sealed' };
  const rows = await lockAround(tx, terms);
  const row = rows.find(({ window_id }) => window_id === terms.window.id);
  if (!row || isSeedDue(terms, row.defined_ms, seededSince(rows))) return { kind: 'missing' };
  if (row.limit_max !== terms.max) await noteMaximum(tx, row.id, terms.max);
  const { out, spent, roomFor } = sumsAround(rows, row, terms);
  const unloaded = inEpoch.isShared ? await unloadedOf(tx, row.id, epoch) : [];
  const next = takeNext(unloaded, { max: terms.max, out, spent, need, short });
  if (next.kind === 'refused') {
    const roomAt = next.reason === 'exhausted' ? roomFor(need) : null;
    return { ...next, spent, ...(roomAt === null ? {} : { roomAt }) };
  }
  const free = terms.max - out - next.amount;
  if (next.amount === 0n) return { kind: 'blocks', blocks: unloaded, free };
  const id = await takeBlock(tx, { ...next, counterId: row.id, epoch, terms, isLoaded: !inEpoch.isShared }, now);
  return { kind: 'blocks', blocks: [...unloaded, { id, amount: next.amount }], free };
};

/** Also where no block is taken: whoever finds one that nobody loaded lends it under the maximum that stands here. */
const noteMaximum = async (tx: Transaction, counterId: bigint, max: bigint): Promise<void> => {
  await tx.query(
    'UPDATE counter SET limit_max = $2, ceiling = greatest($2::bigint, allocated - refunded) WHERE id = $1',
    [counterId, max],
  );
};

const unloadedOf = async (tx: Transaction, counterId: bigint, epoch: string): Promise<readonly Block[]> =>
  tx.query<{ id: string; amount: bigint }>(
    'SELECT id::text, amount FROM block WHERE epoch = $1 AND counter_id = $2 AND NOT loaded ORDER BY block.id',
    [epoch, counterId],
  );

const sumsAround = (
  rows: readonly CounterRow[],
  row: CounterRow,
  { sliding, window, max }: CounterTerms,
): { out: bigint; spent: bigint; roomFor(need: bigint): number | null } => {
  const out = ({ allocated, refunded }: CounterRow): bigint => allocated - refunded;
  const spent = ({ settled, unresolved }: CounterRow): bigint => settled + unresolved;
  if (!sliding) return { out: out(row), spent: spent(row), roomFor: () => null };
  const buckets = (of: (bucket: CounterRow) => bigint): Bucket[] =>
    rows.map((bucket) => ({ start: Number(bucket.window_start_ms), amount: of(bucket) }));
  const spentIn = buckets(spent);
  return {
    out: largestSlidingSum(buckets(out), window.start, sliding),
    spent: largestSlidingSum(spentIn, window.start, sliding),
    roomFor: (need) => slidingRoomAt(spentIn, window.start, sliding, { max, need }),
  };
};

interface BlockToTake {
  readonly counterId: bigint;
  readonly epoch: string;
  readonly amount: bigint;
  readonly terms: CounterTerms;
  /** A pool of one server's own is lost with the load: there is nothing to find later. */
  readonly isLoaded: boolean;
}

const takeBlock = async (
  tx: Transaction,
  { counterId, epoch, amount, terms, isLoaded }: BlockToTake,
  now: number,
): Promise<string> => {
  const taken = await tx.query(
    `UPDATE counter SET allocated = allocated + $2, ceiling = greatest($3::bigint, allocated - refunded)
     WHERE id = $1 AND allocated - refunded + $2 <= $3 RETURNING id`,
    [counterId, amount, terms.max],
  );
  if (taken.length !== 1) throw new Error('a block was decided that the counter does not have');
  await tx.query(
    `INSERT INTO counter_epoch (counter_id, epoch, allocated) VALUES ($1, $2, $3)
     ON CONFLICT (counter_id, epoch) DO UPDATE SET allocated = counter_epoch.allocated + excluded.allocated`,
    [counterId, epoch, amount],
  );
  const [block] = await tx.query<{ id: string }>(
    `INSERT INTO block (counter_id, epoch, amount, loaded, taken_at)
     VALUES ($1, $2, $3, $5, to_timestamp($4::double precision / 1000)) RETURNING id::text`,
    [counterId, epoch, amount, now, isLoaded],
  );
  if (!block) throw new Error('a block was taken and has no id');
  return block.id;
};

export const markLoaded = async (tx: Transaction, epoch: string, ids: readonly string[]): Promise<void> => {
  await tx.query('UPDATE block SET loaded = true WHERE id = ANY($1::bigint[]) AND epoch = $2 AND NOT loaded', [
    ids,
    epoch,
  ]);
};

/** At most so many at once: the rest waits for the next look. */
const MOST_UNLOADED = 1_000;

export const unloadedBlocks = async (tx: Transaction, epoch: string): Promise<readonly UnloadedBlock[]> => {
  const rows = await tx.query<Omit<UnloadedBlock, 'windowEnd'> & { readonly windowEnd: bigint | null }>(
    `SELECT b.id::text, b.amount, c.budget, c.limit_name AS "limit", c.partition_value AS "partition",
            c.window_id AS "windowId", c.window_end_ms AS "windowEnd", c.limit_max AS max,
            c.limit_max - (c.allocated - c.refunded) AS free
     FROM block b JOIN counter c ON c.id = b.counter_id WHERE b.epoch = $1 AND NOT b.loaded ORDER BY b.id LIMIT $2`,
    [epoch, MOST_UNLOADED],
  );
  return rows.map((row) => ({ ...row, windowEnd: row.windowEnd === null ? null : Number(row.windowEnd) }));
};

/** What a pool had not leased, once an id. Of a closed epoch nothing: its rest was refunded when it closed. */
export const refundPool = async (
  tx: Transaction,
  epoch: string,
  id: string,
  returns: readonly PoolReturn[],
  now: number,
): Promise<void> => {
  const state = await shareEpoch(tx, epoch);
  if (state === null || state === 'closed') return;
  const first = await tx.query(
    `INSERT INTO pool_refund (id, epoch, booked_at) VALUES ($1, $2, to_timestamp($3::double precision / 1000))
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [id, epoch, now],
  );
  if (first.length === 0) return;
  const ids = await findCounterIds(tx, returns);
  const refunds = returns.flatMap((back, at) => {
    const id = ids[at];
    return id === undefined ? [] : [{ id, amount: back.amount }];
  });
  await lockCounters(
    tx,
    refunds.map(({ id }) => id),
  );
  await addRefunds(tx, epoch, refunds);
};

/** The counters must be locked. */
export const addRefunds = async (
  tx: Transaction,
  epoch: string,
  refunds: readonly { readonly id: bigint; readonly amount: bigint }[],
): Promise<void> => {
  const rows = JSON.stringify(refunds.map(({ id, amount }) => ({ id: String(id), amount: String(amount) })));
  await tx.query(
    `UPDATE counter c SET refunded = c.refunded + r.amount
     FROM json_to_recordset($1::json) AS r(id bigint, amount bigint) WHERE c.id = r.id`,
    [rows],
  );
  await tx.query(
    `UPDATE counter_epoch e SET refunded = e.refunded + r.amount
     FROM json_to_recordset($1::json) AS r(id bigint, amount bigint) WHERE e.counter_id = r.id AND e.epoch = $2`,
    [rows, epoch],
  );
};
