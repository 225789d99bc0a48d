import type { LimitUnit } from '@tollgate/api';
import { counterKey, type CounterCharge, type CounterName, type LedgerEvent } from '@tollgate/ledger';
import { LedgerRequestError, type PoolCharge } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';
import { bookCharges, type Charge } from './charge-booking.ts';
import { createStrayCounter, findCounterIds, type CounterKey } from './counter-row.ts';
import { toEventRow, type EventRow } from './event-row.ts';
import { addUsage } from './usage-roll-up.ts';

/**
 * One batch of one instance's events: rows, idempotency and roll-ups in one commit. Roll-ups are made from the rows
 * that were inserted and from no others, so a batch may come any number of times, in any order.
 */
export interface IngestBatch {
  readonly instance: string;
  readonly events: readonly LedgerEvent[];
  /** The window, by the ledger's clock, of a charge that stands on no lease (Soft, Audit). */
  readonly windowOf: (name: CounterName) => { readonly windowId: string; readonly unit: LimitUnit };
}

export interface Ingested {
  /** All events up to it are stored. */
  readonly ack: number;
  readonly inserted: number;
  /** Charges of leases that this batch brought: what the pool must hear of, after the commit. */
  readonly charges: readonly PoolCharge[];
}

export const ingest = async (
  tx: Transaction,
  { instance, events, windowOf }: IngestBatch,
  now: number,
): Promise<Ingested> => {
  const acked = await lockInstance(tx, instance, now);
  const rows = dedupe(events.map(toEventRow));
  const inserted = await insertEvents(tx, instance, rows, now);
  await refuseOtherBodies(
    tx,
    instance,
    rows.filter(({ seq }) => !inserted.has(seq)),
  );
  const fresh = uniqueBySeq(events).filter(({ seq }) => inserted.has(seq));
  const charges = await resolveCharges(tx, fresh, windowOf);
  await insertCharges(tx, instance, charges);
  await bookCharges(tx, charges, now);
  await addUsage(tx, fresh, now);
  return {
    ack: await advanceAck(tx, instance, acked, inserted),
    inserted: inserted.size,
    charges: charges
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
  };
};

/** Batches of one instance run one after another. A spool that outlived this database's memory of it is taken in too. */
const lockInstance = async (tx: Transaction, instance: string, now: number): Promise<number> => {
  await tx.query(
    `INSERT INTO instance (id, hello_at) VALUES ($1, to_timestamp($2::double precision / 1000)) ON CONFLICT DO NOTHING`,
    [instance, now],
  );
  const [row] = await tx.query<{ acked_seq: bigint }>('SELECT acked_seq FROM instance WHERE id = $1 FOR UPDATE', [
    instance,
  ]);
  return Number(row?.acked_seq ?? 0n);
};

const dedupe = (rows: readonly EventRow[]): readonly EventRow[] => {
  const bySeq = new Map<number, EventRow>();
  for (const row of rows) {
    const other = bySeq.get(row.seq);
    if (other && other.body_hash !== row.body_hash) throw conflict([row.seq]);
    bySeq.set(row.seq, row);
  }
  return [...bySeq.values()];
};

const uniqueBySeq = (events: readonly LedgerEvent[]): readonly LedgerEvent[] => [
  ...new Map(events.map((event) => [event.seq, event])).values(),
];

const EVENT_COLUMNS = `seq bigint, request_id text, attempt int, namespace text, workload text, workload_kind text, service_account text, pod text,
  labels jsonb, team text, user_id text, prompt_id text, prompt_version text, route text, backend text, provider text,
  format text, model_asked text, model_sent text, model_answered text, usage jsonb, input_tokens bigint,
  output_tokens bigint, settle text, held bigint, charged bigint, price_version text, price_row jsonb, unproven boolean,
  stream boolean, status int, started_ms bigint, ended_ms bigint, body_hash text`;
const EVENT_NAMES = EVENT_COLUMNS.replaceAll(/ (bigint|text|int|jsonb|boolean)(?=,|$)/g, '');

const INSERT_EVENTS = `INSERT INTO event (instance, recorded_at, ${EVENT_NAMES})
  SELECT $1, to_timestamp($2::double precision / 1000), ${EVENT_NAMES} FROM json_to_recordset($3::json) AS r(${EVENT_COLUMNS})
  ON CONFLICT (instance, seq) DO NOTHING RETURNING seq`;

const insertEvents = async (
  tx: Transaction,
  instance: string,
  rows: readonly EventRow[],
  now: number,
): Promise<ReadonlySet<number>> => {
  if (rows.length === 0) return new Set();
  const inserted = await tx.query<{ seq: bigint }>(INSERT_EVENTS, [instance, now, JSON.stringify(rows)]);
  return new Set(inserted.map(({ seq }) => Number(seq)));
};

const refuseOtherBodies = async (tx: Transaction, instance: string, repeated: readonly EventRow[]): Promise<void> => {
  if (repeated.length === 0) return;
  const stored = await tx.query<{ seq: bigint; body_hash: string }>(
    'SELECT seq, body_hash FROM event WHERE instance = $1 AND seq = ANY($2::bigint[])',
    [instance, repeated.map(({ seq }) => seq)],
  );
  const hashes = new Map(stored.map((row) => [Number(row.seq), row.body_hash]));
  const others = repeated.filter(({ seq, body_hash }) => hashes.get(seq) !== body_hash);
  if (others.length > 0) throw conflict(others.map(({ seq }) => seq));
};

const conflict = (seqs: readonly number[]): LedgerRequestError =>
  new LedgerRequestError(
    'event_conflict',
    `stored under the same id with another body: sequence ${seqs.slice(0, 10).join(', ')}`,
  );

/** Each charge with the id of its counter. */
const resolveCharges = async (
  tx: Transaction,
  events: readonly LedgerEvent[],
  windowOf: IngestBatch['windowOf'],
): Promise<readonly Charge[]> => {
  const keys = new Map<string, CounterKey & { unit: LimitUnit }>();
  const pending = events.flatMap((event) =>
    event.counters.map((sent) => {
      const { unit, windowId } =
        sent.windowId === '' ? windowOf(sent) : { unit: windowOf(sent).unit, windowId: sent.windowId };
      const charge: CounterCharge = { ...sent, windowId };
      const key = `${counterKey(charge)}@${windowId}`;
      const { budget, limit, partition } = charge;
      keys.set(key, { budget, limit, partition, windowId, unit });
      return { event, charge, key };
    }),
  );
  const ids = await idsOf(tx, keys);
  return pending.map(({ event, charge, key }) => ({ event, charge, counterId: ids.get(key) ?? 0n }));
};

const idsOf = async (
  tx: Transaction,
  keys: ReadonlyMap<string, CounterKey & { unit: LimitUnit }>,
): Promise<ReadonlyMap<string, bigint>> => {
  const list = [...keys];
  const found = await findCounterIds(
    tx,
    list.map(([, key]) => key),
  );
  const strays = list.filter((_, at) => found[at] === undefined);
  if (strays.length > 0) {
    for (const [, key] of strays) await createStrayCounter(tx, key, key.unit);
    return idsOf(tx, keys);
  }
  return new Map(list.map(([key], at) => [key, found[at] ?? 0n]));
};

const insertCharges = async (tx: Transaction, instance: string, charges: readonly Charge[]): Promise<void> => {
  if (charges.length === 0) return;
  const rows = charges.map(({ event, charge, counterId }) => ({
    seq: event.seq,
    counter_id: String(counterId),
    epoch: charge.epoch,
    held: String(charge.held),
    charged: String(charge.charged),
    would_refuse: charge.wouldRefuse === true,
  }));
  await tx.query(
    `INSERT INTO event_counter (instance, seq, counter_id, epoch, held, charged, would_refuse)
     SELECT $1, r.* FROM json_to_recordset($2::json)
       AS r(seq bigint, counter_id bigint, epoch text, held bigint, charged bigint, would_refuse boolean)`,
    [instance, JSON.stringify(rows)],
  );
};

/** Numbers may arrive out of order: a long stream settles after many short calls. Walked only when the gap closes. */
const advanceAck = async (
  tx: Transaction,
  instance: string,
  acked: number,
  inserted: ReadonlySet<number>,
): Promise<number> => {
  if (!inserted.has(acked + 1)) return acked;
  let ack = acked;
  for (;;) {
    const next = await tx.query<{ seq: bigint }>(
      'SELECT seq FROM event WHERE instance = $1 AND seq > $2 ORDER BY seq LIMIT 1000',
      [instance, ack],
    );
    const gap = next.findIndex(({ seq }, at) => Number(seq) !== ack + 1 + at);
    ack += gap === -1 ? next.length : gap;
    if (gap !== -1 || next.length < 1_000) break;
  }
  await tx.query('UPDATE instance SET acked_seq = $2 WHERE id = $1', [instance, ack]);
  return ack;
};
