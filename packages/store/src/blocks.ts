import {
  decideBlock,
  largestSlidingSum,
  type BlockAnswer,
  type BlockRequest,
  type CounterTerms,
  type PoolReturn,
} from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';
import { findCounterIds, lockAround, lockCounters, type CounterRow } from './counter-row.ts';
import { shareEpoch } from './epochs.ts';

/**
 * Blocks: amounts written down as gone before anyone may spend them. Decided by the same pure function as in memory,
 * under the counter's lock; the update checks itself again, and so does the table.
 */
export type BlockOutcome = BlockAnswer | { readonly kind: 'missing' };

/** `missing`: the counter has no row in this window yet; make it, with what it starts from, and ask again. */
export const allocateBlock = async (
  tx: Transaction,
  { epoch, terms, need, short }: BlockRequest,
  now: number,
): Promise<BlockOutcome> => {
  if ((await shareEpoch(tx, epoch)) !== 'open') return { kind: 'sealed' };
  const rows = await lockAround(tx, terms);
  const row = rows.find(({ window_id }) => window_id === terms.window.id);
  if (!row) return { kind: 'missing' };
  const { out, spent } = sumsAround(rows, row, terms);
  const decision = decideBlock({ max: terms.max, out, spent, need, short });
  if (!decision.fits) return { kind: 'refused', reason: decision.reason, spent };
  await takeBlock(tx, row.id, epoch, decision.amount, terms.max, now);
  return { kind: 'block', amount: decision.amount, free: terms.max - out - decision.amount };
};

const sumsAround = (
  rows: readonly CounterRow[],
  row: CounterRow,
  { sliding, window }: CounterTerms,
): { out: bigint; spent: bigint } => {
  const out = ({ allocated, refunded }: CounterRow): bigint => allocated - refunded;
  const spent = ({ settled, unresolved }: CounterRow): bigint => settled + unresolved;
  if (!sliding) return { out: out(row), spent: spent(row) };
  const sum = (of: (bucket: CounterRow) => bigint): bigint =>
    largestSlidingSum(
      rows.map((bucket) => ({ start: Number(bucket.window_start_ms), amount: of(bucket) })),
      window.start,
      sliding,
    );
  return { out: sum(out), spent: sum(spent) };
};

const takeBlock = async (
  tx: Transaction,
  id: bigint,
  epoch: string,
  amount: bigint,
  max: bigint,
  now: number,
): Promise<void> => {
  const taken = await tx.query(
    `UPDATE counter SET allocated = allocated + $2, limit_max = $3, ceiling = greatest($3::bigint, allocated - refunded)
     WHERE id = $1 AND allocated - refunded + $2 <= $3 RETURNING id`,
    [id, amount, max],
  );
  if (taken.length !== 1) throw new Error('a block was decided that the counter does not have');
  await tx.query(
    `INSERT INTO counter_epoch (counter_id, epoch, allocated) VALUES ($1, $2, $3)
     ON CONFLICT (counter_id, epoch) DO UPDATE SET allocated = counter_epoch.allocated + excluded.allocated`,
    [id, epoch, amount],
  );
  await tx.query(
    `INSERT INTO block (counter_id, epoch, amount, taken_at) VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000))`,
    [id, epoch, amount, now],
  );
};

/** What a pool had not leased. Of a closed epoch nothing: its rest was refunded when it closed. */
export const refundPool = async (tx: Transaction, epoch: string, returns: readonly PoolReturn[]): Promise<void> => {
  const state = await shareEpoch(tx, epoch);
  if (state === null || state === 'closed') return;
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
