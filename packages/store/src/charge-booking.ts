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
  await book(tx, instance, lines, events, now);
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
  const lines = new Map<string, { -readonly [Name in keyof EpochLine]: EpochLine[Name] }>();
  for (const { counterId, charge } of charges) {
    const key = `${String(counterId)} ${charge.epoch}`;
    const line = lines.get(key);
    if (line) line.settled += charge.charged;
    else lines.set(key, { counterId, epoch: charge.epoch, settled: charge.charged, allocated: 0n, unresolved: 0n });
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

const book = async (
  tx: Transaction,
  instance: string,
  lines: readonly EpochLine[],
  events: readonly ResolvedEvent[],
  now: number,
): Promise<void> => {
  const gains = makeGains<{ counter_id: string; model: string }>();
  for (const { event, charges } of events) {
    const model = modelOf(event);
    for (const { counterId, charge } of charges) {
      gains.add({ counter_id: String(counterId), model }, event, charge.charged, charge.wouldRefuse);
    }
  }
  const rows = lines.map(({ counterId, epoch, settled, allocated, unresolved }) => ({
    counter_id: String(counterId),
    epoch,
    settled: String(settled),
    allocated: String(allocated),
    unresolved: String(unresolved),
  }));
  await tx.query(BOOK, [JSON.stringify(rows), JSON.stringify(gains.rows()), instance, now - (now % SLOT_MS)]);
};

/** One statement for all that a charge moves: by instance, by epoch, by ten minutes and model, and the counter itself. */
const BOOK = `WITH line AS (
    SELECT * FROM json_to_recordset($1::json)
      AS l(counter_id bigint, epoch text, settled bigint, allocated bigint, unresolved bigint)
  ), gain AS (
    SELECT * FROM json_to_recordset($2::json) AS g(counter_id bigint, model text, charged bigint, calls bigint,
      input_tokens bigint, output_tokens bigint, would_refuse bigint, unproven bigint, estimated bigint)
  ), of_instance AS (
    INSERT INTO instance_charge (instance, epoch, counter_id, charged)
    SELECT $3, epoch, counter_id, settled FROM line WHERE epoch <> ''
    ON CONFLICT (instance, epoch, counter_id) DO UPDATE SET charged = instance_charge.charged + excluded.charged
  ), of_epoch AS (
    INSERT INTO counter_epoch (counter_id, epoch, settled, allocated, unresolved)
    SELECT counter_id, epoch, settled, allocated, unresolved FROM line
    ON CONFLICT (counter_id, epoch) DO UPDATE SET
      settled = counter_epoch.settled + excluded.settled,
      allocated = counter_epoch.allocated + excluded.allocated,
      unresolved = counter_epoch.unresolved + excluded.unresolved
  ), of_slot AS (
    INSERT INTO counter_usage (counter_id, slot_ms, model, charged, calls, input_tokens, output_tokens)
    SELECT counter_id, $4::bigint, model, charged, calls, input_tokens, output_tokens FROM gain
    ON CONFLICT (counter_id, slot_ms, model) DO UPDATE SET
      charged = counter_usage.charged + excluded.charged,
      calls = counter_usage.calls + excluded.calls,
      input_tokens = counter_usage.input_tokens + excluded.input_tokens,
      output_tokens = counter_usage.output_tokens + excluded.output_tokens
  )
  UPDATE counter c SET
    ceiling       = greatest(c.ceiling, c.allocated - c.refunded + taken.allocated),
    settled       = c.settled + gained.charged,
    allocated     = c.allocated + taken.allocated,
    unresolved    = c.unresolved + taken.unresolved,
    calls         = c.calls + gained.calls,
    input_tokens  = c.input_tokens + gained.input_tokens,
    output_tokens = c.output_tokens + gained.output_tokens,
    would_refuse  = c.would_refuse + gained.would_refuse,
    unproven      = c.unproven + gained.unproven,
    estimated     = c.estimated + gained.estimated
  FROM (SELECT counter_id, sum(charged) AS charged, sum(calls) AS calls, sum(input_tokens) AS input_tokens,
               sum(output_tokens) AS output_tokens, sum(would_refuse) AS would_refuse, sum(unproven) AS unproven,
               sum(estimated) AS estimated FROM gain GROUP BY counter_id) AS gained
  JOIN (SELECT counter_id, sum(allocated) AS allocated, sum(unresolved) AS unresolved
        FROM line GROUP BY counter_id) AS taken USING (counter_id)
  WHERE c.id = gained.counter_id`;
