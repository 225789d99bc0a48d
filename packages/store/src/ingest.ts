import type { LedgerEvent } from '@tollgate/ledger';
import type { PoolCharge } from '@tollgate/ledger/pool';
import { bookCharges } from './charge-booking.ts';
import type { Transaction } from './connection.ts';
import { eventConflict, insertEvents } from './event-insert.ts';
import { bodyHash } from './event-row.ts';
import { resolveCharges, type WindowOf } from './resolved-charges.ts';
import { addUsage } from './usage-roll-up.ts';

/**
 * One batch of one instance's events: rows, idempotency and roll-ups in one commit. Roll-ups are made from the rows
 * that were inserted and from no others, so a batch may come any number of times, in any order.
 */
export interface IngestBatch {
  readonly instance: string;
  readonly events: readonly LedgerEvent[];
  readonly windowOf: WindowOf;
}

export interface Ingested {
  /** All events up to it are stored. */
  readonly ack: number;
  readonly inserted: number;
  /** Charges of leases that this batch brought: what the pool must hear of, after the commit. */
  readonly charges: readonly PoolCharge[];
}

/** The rows, which are the bulk of the work, come before the locks that batches of other instances wait for. */
export const ingest = async (
  tx: Transaction,
  { instance, events, windowOf }: IngestBatch,
  now: number,
): Promise<Ingested> => {
  const acked = await lockInstance(tx, instance, now);
  const resolved = await resolveCharges(tx, uniqueBySeq(events), windowOf);
  const inserted = await insertEvents(tx, instance, resolved, now);
  const fresh = resolved.filter(({ event }) => inserted.has(event.seq));
  await bookCharges(tx, instance, fresh, now);
  await addUsage(
    tx,
    fresh.map(({ event }) => event),
    now,
  );
  return {
    ack: await advanceAck(tx, instance, acked, inserted),
    inserted: inserted.size,
    charges: fresh.flatMap(({ charges }) =>
      charges
        .filter(({ charge }) => charge.epoch !== '')
        .map(({ charge: { budget, limit, partition, windowId, epoch, charged } }) => ({
          instance,
          budget,
          limit,
          partition,
          windowId,
          epoch,
          charged,
        })),
    ),
  };
};

/** Batches of one instance run one after another. A spool that outlived this database's memory of it is taken in too. */
const lockInstance = async (tx: Transaction, instance: string, now: number): Promise<number> => {
  for (;;) {
    const [row] = await tx.query<{ acked_seq: bigint }>('SELECT acked_seq FROM instance WHERE id = $1 FOR UPDATE', [
      instance,
    ]);
    if (row) return Number(row.acked_seq);
    await tx.query(
      `INSERT INTO instance (id, hello_at) VALUES ($1, to_timestamp($2::double precision / 1000)) ON CONFLICT DO NOTHING`,
      [instance, now],
    );
  }
};

const uniqueBySeq = (events: readonly LedgerEvent[]): readonly LedgerEvent[] => {
  const bySeq = new Map<number, LedgerEvent>();
  for (const event of events) {
    const other = bySeq.get(event.seq);
    if (other && bodyHash(other) !== bodyHash(event)) throw eventConflict([event.seq]);
    bySeq.set(event.seq, event);
  }
  return [...bySeq.values()];
};

/** Numbers may arrive out of order: a long stream settles after many short calls. Walked only when the gap closes. */
const advanceAck = async (
  tx: Transaction,
  instance: string,
  acked: number,
  inserted: ReadonlySet<number>,
): Promise<number> => {
  let ack = acked;
  while (inserted.has(ack + 1)) ack += 1;
  if (ack === acked) return acked;
  for (;;) {
    const [row] = await tx.query<{ acked_seq: bigint }>(ADVANCE, [instance, ack, ACK_STEP]);
    const next = Number(row?.acked_seq ?? ack);
    if (next < ack + ACK_STEP) return next;
    ack = next;
  }
};

const ACK_STEP = 1_000;

/** Up to the first gap after $2, or $3 further. */
const ADVANCE = `UPDATE instance SET acked_seq = $2::bigint + (
    SELECT count(*) FROM (
      SELECT seq, row_number() OVER (ORDER BY seq) AS n
      FROM (SELECT seq FROM event WHERE instance = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS later
    ) AS numbered WHERE seq = $2::bigint + n)
  WHERE id = $1 RETURNING acked_seq`;
