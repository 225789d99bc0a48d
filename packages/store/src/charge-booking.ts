import type { Transaction } from './connection.ts';
import { lockCounters } from './counter-row.ts';
import { makeGains, modelOf } from './gains.ts';
import type { ResolvedCharge, ResolvedEvent } from './resolved-charges.ts';

/** Charges into the counters: settled against the epoch whose blocks they came from, in sums a counter, not a row each. */
export const bookCharges = async (
  tx: Transaction,
  instance: string,
  events: readonly ResolvedEvent[],
  now: number,
): Promise<void> => {
  const charges = events.flatMap((event) => event.charges);
  if (charges.length === 0) return;
  const epochs = await epochStates(tx, [...new Set(charges.map(({ charge }) => charge.epoch))]);
  await lockCounters(tx, [...new Set(charges.map(({ counterId }) => counterId))]);
  const lines = await withoutLease(tx, sumByEpoch(charges), epochs);
  await bookEpochs(tx, instance, lines);
  await bookCounters(tx, lines, events);
  await bookSlots(tx, events, now);
};

/** Ten minutes: fine enough for a burn rate, and 4,464 rows a month and model. */
export const SLOT_MS = 600_000;

interface EpochLine {
  readonly counterId: bigint;
  readonly epoch: string;
  readonly settled: bigint;
  readonly allocated: bigint;
  readonly unresolved: bigint;
}

/** Kept from changing until the commit: an epoch must not close while a charge of it is on its way. */
const epochStates = async (tx: Transaction, ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const rows = await tx.query<{ id: string; state: string }>(
    'SELECT id, state FROM epoch WHERE id = ANY($1::text[]) ORDER BY id FOR SHARE',
    [ids],
  );
  return new Map(rows.map(({ id, state }) => [id, state]));
};

const sumByEpoch = (charges: readonly ResolvedCharge[]): readonly EpochLine[] => {
  const lines = new Map<string, EpochLine>();
  for (const { counterId, charge } of charges) {
    const key = `${String(counterId)} ${charge.epoch}`;
    const settled = (lines.get(key)?.settled ?? 0n) + charge.charged;
    lines.set(key, { counterId, epoch: charge.epoch, settled, allocated: 0n, unresolved: 0n });
  }
  return [...lines.values()];
};

/**
 * Where no block of a living epoch stands behind a charge, it brings its own: Soft and Audit always; and a spool that
 * turns up after its epoch was closed, which first takes what was booked as unresolved on its account.
 */
const withoutLease = async (
  tx: Transaction,
  lines: readonly EpochLine[],
  epochs: ReadonlyMap<string, string>,
): Promise<readonly EpochLine[]> => {
  const leased = ({ epoch }: EpochLine): boolean => epochs.get(epoch) === 'open' || epochs.get(epoch) === 'sealed';
  const late = lines.filter((line) => epochs.get(line.epoch) === 'closed');
  const unresolved = late.length === 0 ? new Map<string, bigint>() : await unresolvedOf(tx, late);
  return lines.map((line) => {
    if (leased(line)) return line;
    const known = unresolved.get(`${String(line.counterId)} ${line.epoch}`) ?? 0n;
    const found = known < line.settled ? known : line.settled;
    return { ...line, allocated: line.settled - found, unresolved: -found };
  });
};

const unresolvedOf = async (tx: Transaction, lines: readonly EpochLine[]): Promise<ReadonlyMap<string, bigint>> => {
  const rows = await tx.query<{ counter_id: bigint; epoch: string; unresolved: bigint }>(
    `SELECT counter_id, epoch, unresolved FROM counter_epoch WHERE counter_id = ANY($1::bigint[]) AND epoch = ANY($2::text[])`,
    [lines.map(({ counterId }) => counterId), lines.map(({ epoch }) => epoch)],
  );
  return new Map(rows.map((row) => [`${String(row.counter_id)} ${row.epoch}`, row.unresolved]));
};

/** By epoch, and of its leases also by instance. */
const bookEpochs = async (tx: Transaction, instance: string, lines: readonly EpochLine[]): Promise<void> => {
  const rows = lines.map(({ counterId, epoch, settled, allocated, unresolved }) => ({
    counter_id: String(counterId),
    epoch,
    settled: String(settled),
    allocated: String(allocated),
    unresolved: String(unresolved),
  }));
  await tx.query(
    `WITH line AS (
       SELECT * FROM json_to_recordset($1::json)
         AS r(counter_id bigint, epoch text, settled bigint, allocated bigint, unresolved bigint)
     ), of_instance AS (
       INSERT INTO instance_charge (instance, epoch, counter_id, charged)
       SELECT $2, epoch, counter_id, settled FROM line WHERE epoch <> ''
       ON CONFLICT (instance, epoch, counter_id) DO UPDATE SET charged = instance_charge.charged + excluded.charged
     )
     INSERT INTO counter_epoch (counter_id, epoch, settled, allocated, unresolved)
     SELECT counter_id, epoch, settled, allocated, unresolved FROM line ORDER BY counter_id, epoch
     ON CONFLICT (counter_id, epoch) DO UPDATE SET
       settled = counter_epoch.settled + excluded.settled,
       allocated = counter_epoch.allocated + excluded.allocated,
       unresolved = counter_epoch.unresolved + excluded.unresolved`,
    [JSON.stringify(rows), instance],
  );
};

const bookCounters = async (
  tx: Transaction,
  lines: readonly EpochLine[],
  events: readonly ResolvedEvent[],
): Promise<void> => {
  const gains = makeGains<{ id: string }>();
  for (const { event, charges } of events) {
    for (const { counterId, charge } of charges) {
      gains.add({ id: String(counterId) }, event, charge.charged, charge.wouldRefuse);
    }
  }
  const taken = lines.map(({ counterId, allocated, unresolved }) => ({
    id: String(counterId),
    allocated: String(allocated),
    unresolved: String(unresolved),
  }));
  await tx.query(UPDATE_COUNTERS, [JSON.stringify(gains.rows()), JSON.stringify(taken)]);
};

const UPDATE_COUNTERS = `UPDATE counter c SET
    ceiling       = greatest(c.ceiling, c.allocated - c.refunded + t.allocated),
    settled       = c.settled + r.charged,
    allocated     = c.allocated + t.allocated,
    unresolved    = c.unresolved + t.unresolved,
    calls         = c.calls + r.calls,
    input_tokens  = c.input_tokens + r.input_tokens,
    output_tokens = c.output_tokens + r.output_tokens,
    would_refuse  = c.would_refuse + r.would_refuse,
    unproven      = c.unproven + r.unproven,
    estimated     = c.estimated + r.estimated
  FROM json_to_recordset($1::json) AS r(id bigint, charged bigint, calls bigint, input_tokens bigint,
         output_tokens bigint, would_refuse bigint, unproven bigint, estimated bigint)
  JOIN (SELECT id, sum(allocated)::bigint AS allocated, sum(unresolved)::bigint AS unresolved
        FROM json_to_recordset($2::json) AS l(id bigint, allocated bigint, unresolved bigint) GROUP BY id) AS t USING (id)
  WHERE c.id = r.id`;

const bookSlots = async (tx: Transaction, events: readonly ResolvedEvent[], now: number): Promise<void> => {
  const gains = makeGains<{ counter_id: string; model: string }>();
  for (const { event, charges } of events) {
    const model = modelOf(event);
    for (const { counterId, charge } of charges) {
      gains.add({ counter_id: String(counterId), model }, event, charge.charged);
    }
  }
  await tx.query(UPSERT_SLOTS, [JSON.stringify(gains.rows()), now - (now % SLOT_MS)]);
};

const UPSERT_SLOTS = `INSERT INTO counter_usage (counter_id, slot_ms, model, charged, calls, input_tokens, output_tokens)
  SELECT counter_id, $2::bigint, model, charged, calls, input_tokens, output_tokens FROM json_to_recordset($1::json)
    AS r(counter_id bigint, model text, charged bigint, calls bigint, input_tokens bigint, output_tokens bigint)
  ORDER BY counter_id, model
  ON CONFLICT (counter_id, slot_ms, model) DO UPDATE SET
    charged = counter_usage.charged + excluded.charged,
    calls = counter_usage.calls + excluded.calls,
    input_tokens = counter_usage.input_tokens + excluded.input_tokens,
    output_tokens = counter_usage.output_tokens + excluded.output_tokens`;
