import { inputTokens, outputTokens } from '@tollgate/metering';
import type { CounterCharge, LedgerEvent } from '@tollgate/ledger';
import type { Transaction } from './connection.ts';
import { lockCounters } from './counter-row.ts';

/** Charges into the counters: settled against the epoch whose blocks they came from, in sums a counter, not a row each. */
export interface Charge {
  readonly event: LedgerEvent;
  readonly charge: CounterCharge;
  readonly counterId: bigint;
}

/** Ten minutes: fine enough for a burn rate, and 4,464 rows a month and model. */
export const SLOT_MS = 600_000;

export const bookCharges = async (tx: Transaction, charges: readonly Charge[], now: number): Promise<void> => {
  if (charges.length === 0) return;
  const epochs = await epochStates(tx, [...new Set(charges.map(({ charge }) => charge.epoch))]);
  await lockCounters(tx, [...new Set(charges.map(({ counterId }) => counterId))]);
  const lines = await withoutLease(tx, sumByEpoch(charges), epochs);
  await bookEpochs(tx, lines);
  await bookCounters(tx, lines, charges);
  await bookSlots(tx, charges, now);
};

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

const sumByEpoch = (charges: readonly Charge[]): readonly EpochLine[] => {
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

const bookEpochs = async (tx: Transaction, lines: readonly EpochLine[]): Promise<void> => {
  const rows = lines.map(({ counterId, epoch, settled, allocated, unresolved }) => ({
    counter_id: String(counterId),
    epoch,
    settled: String(settled),
    allocated: String(allocated),
    unresolved: String(unresolved),
  }));
  await tx.query(
    `INSERT INTO counter_epoch (counter_id, epoch, settled, allocated, unresolved)
     SELECT counter_id, epoch, settled, allocated, unresolved FROM json_to_recordset($1::json)
       AS r(counter_id bigint, epoch text, settled bigint, allocated bigint, unresolved bigint)
     ORDER BY counter_id, epoch
     ON CONFLICT (counter_id, epoch) DO UPDATE SET
       settled = counter_epoch.settled + excluded.settled,
       allocated = counter_epoch.allocated + excluded.allocated,
       unresolved = counter_epoch.unresolved + excluded.unresolved`,
    [JSON.stringify(rows)],
  );
};

const bookCounters = async (
  tx: Transaction,
  lines: readonly EpochLine[],
  charges: readonly Charge[],
): Promise<void> => {
  const sums = new Map<bigint, CounterSums>();
  const sumOf = (id: bigint): CounterSums => {
    const sum = sums.get(id) ?? { ...NOTHING };
    sums.set(id, sum);
    return sum;
  };
  for (const line of lines) {
    const sum = sumOf(line.counterId);
    sum.settled += line.settled;
    sum.allocated += line.allocated;
    sum.unresolved += line.unresolved;
  }
  for (const { counterId, charge, event } of charges) {
    const sum = sumOf(counterId);
    sum.calls += 1n;
    sum.input_tokens += BigInt(inputTokens(event.usage));
    sum.output_tokens += BigInt(outputTokens(event.usage));
    if (charge.wouldRefuse) sum.would_refuse += 1n;
    if (event.unproven) sum.unproven += 1n;
    if (event.settle === 'estimated') sum.estimated += 1n;
  }
  const rows = [...sums].map(([id, sum]) => ({
    id: String(id),
    ...Object.fromEntries(Object.entries(sum).map(([key, value]) => [key, String(value)])),
  }));
  await tx.query(UPDATE_COUNTERS, [JSON.stringify(rows)]);
};

type CounterSums = { -readonly [Name in keyof typeof NOTHING]: bigint };

const NOTHING = {
  settled: 0n,
  allocated: 0n,
  unresolved: 0n,
  calls: 0n,
  input_tokens: 0n,
  output_tokens: 0n,
  would_refuse: 0n,
  unproven: 0n,
  estimated: 0n,
};
const UPDATE_COUNTERS = `UPDATE counter c SET
    ceiling       = greatest(c.ceiling, c.allocated - c.refunded + r.allocated),
    settled       = c.settled + r.settled,
    allocated     = c.allocated + r.allocated,
    unresolved    = c.unresolved + r.unresolved,
    calls         = c.calls + r.calls,
    input_tokens  = c.input_tokens + r.input_tokens,
    output_tokens = c.output_tokens + r.output_tokens,
    would_refuse  = c.would_refuse + r.would_refuse,
    unproven      = c.unproven + r.unproven,
    estimated     = c.estimated + r.estimated
  FROM json_to_recordset($1::json) AS r(id bigint, settled bigint, allocated bigint, unresolved bigint, calls bigint,
    input_tokens bigint, output_tokens bigint, would_refuse bigint, unproven bigint, estimated bigint)
  WHERE c.id = r.id`;

const bookSlots = async (tx: Transaction, charges: readonly Charge[], now: number): Promise<void> => {
  const slot = now - (now % SLOT_MS);
  const rows = charges.map(({ counterId, charge, event }) => ({
    counter_id: String(counterId),
    model: modelOf(event),
    charged: String(charge.charged),
    input_tokens: inputTokens(event.usage),
    output_tokens: outputTokens(event.usage),
  }));
  await tx.query(
    `INSERT INTO counter_usage (counter_id, slot_ms, model, charged, calls, input_tokens, output_tokens)
     SELECT counter_id, $2::bigint, model, sum(charged), count(*), sum(input_tokens), sum(output_tokens)
     FROM json_to_recordset($1::json)
       AS r(counter_id bigint, model text, charged bigint, input_tokens bigint, output_tokens bigint)
     GROUP BY counter_id, model ORDER BY counter_id, model
     ON CONFLICT (counter_id, slot_ms, model) DO UPDATE SET
       charged = counter_usage.charged + excluded.charged,
       calls = counter_usage.calls + excluded.calls,
       input_tokens = counter_usage.input_tokens + excluded.input_tokens,
       output_tokens = counter_usage.output_tokens + excluded.output_tokens`,
    [JSON.stringify(rows), slot],
  );
};

/** The model that a report names: what was sent, since an answer often names a dated version of it. */
export const modelOf = (event: Pick<LedgerEvent, 'modelAnswered' | 'modelSent' | 'modelAsked'>): string =>
  event.modelSent ?? event.modelAsked ?? event.modelAnswered ?? '';
