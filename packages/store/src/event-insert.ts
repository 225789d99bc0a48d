import { LedgerRequestError } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';
import { ownColumns, sharedColumns, type OwnColumns, type SharedColumns } from './event-row.ts';
import type { ResolvedEvent } from './resolved-charges.ts';

/** Rows of events: each once, however often it comes, and never another body under an id that is known. */
const OWN: Readonly<Record<keyof OwnColumns, string>> = {
  seq: 'bigint',
  request_id: 'text',
  user_id: 'text',
  usage: 'jsonb',
  input_tokens: 'bigint',
  output_tokens: 'bigint',
  held: 'bigint',
  charged: 'bigint',
  started_ms: 'bigint',
  ended_ms: 'bigint',
  body_hash: 'text',
  counter_held: 'bigint[]',
  counter_amount: 'bigint[]',
};
const SHARED: Readonly<Record<keyof SharedColumns, string>> = {
  attempt: 'int',
  namespace: 'text',
  workload: 'text',
  workload_kind: 'text',
  service_account: 'text',
  pod: 'text',
  labels: 'jsonb',
  team: 'text',
  prompt_id: 'text',
  prompt_version: 'text',
  route: 'text',
  backend: 'text',
  provider: 'text',
  format: 'text',
  model_asked: 'text',
  model_sent: 'text',
  model_answered: 'text',
  settle: 'text',
  price_version: 'text',
  price_row: 'jsonb',
  unproven: 'boolean',
  stream: 'boolean',
  status: 'int',
  counter_ids: 'bigint[]',
  counter_epochs: 'text[]',
  would_refuse: 'boolean[]',
};
const columnsOf = (types: Readonly<Record<string, string>>): string =>
  Object.entries(types)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ');

const NAMES = [...Object.keys(OWN), ...Object.keys(SHARED)].join(', ');
const OWN_COLUMNS = columnsOf(OWN);
const SHARED_COLUMNS = columnsOf(SHARED);

/** `n` joins an event to the columns it shares. */
const INSERT = `INSERT INTO event (instance, recorded_at, ${NAMES})
  SELECT $1, to_timestamp($2::double precision / 1000), ${NAMES}
  FROM json_to_recordset($3::json) AS own (n int, ${OWN_COLUMNS})
  JOIN json_to_recordset($4::json) AS shared (n int, ${SHARED_COLUMNS}) USING (n)
  ON CONFLICT (instance, seq) DO NOTHING RETURNING seq`;

/** The sequence numbers that were new. Throws where one is known with another body. */
export const insertEvents = async (
  tx: Transaction,
  instance: string,
  events: readonly ResolvedEvent[],
  now: number,
): Promise<ReadonlySet<number>> => {
  if (events.length === 0) return new Set();
  const { own, shared } = factorOut(events);
  const values = [instance, now, JSON.stringify(own), JSON.stringify(shared)];
  const inserted = new Set((await tx.query<{ seq: bigint }>(INSERT, values)).map(({ seq }) => Number(seq)));
  if (inserted.size < own.length) await refuseOtherBodies(tx, instance, own, inserted);
  return inserted;
};

/** What several rows share, once, and each row with the number of its shared part. */
const factorOut = (
  events: readonly ResolvedEvent[],
): { own: readonly (OwnColumns & { n: number })[]; shared: readonly (SharedColumns & { n: number })[] } => {
  const numbers = new Map<string, number>();
  const shared: (SharedColumns & { n: number })[] = [];
  const own = events.map((event) => {
    const columns = sharedColumns(event);
    // Values alone: a third of the time that their names would take.
    const key = JSON.stringify(Object.values(columns));
    let n = numbers.get(key);
    if (n === undefined) {
      n = shared.length;
      numbers.set(key, n);
      shared.push({ n, ...columns });
    }
    return { n, ...ownColumns(event) };
  });
  return { own, shared };
};

const refuseOtherBodies = async (
  tx: Transaction,
  instance: string,
  rows: readonly OwnColumns[],
  inserted: ReadonlySet<number>,
): Promise<void> => {
  const repeated = rows.filter(({ seq }) => !inserted.has(seq));
  const stored = await tx.query<{ seq: bigint; body_hash: string }>(
    'SELECT seq, body_hash FROM event WHERE instance = $1 AND seq = ANY($2::bigint[])',
    [instance, repeated.map(({ seq }) => seq)],
  );
  const hashes = new Map(stored.map((row) => [Number(row.seq), row.body_hash]));
  const others = repeated.filter(({ seq, body_hash }) => hashes.get(seq) !== body_hash);
  if (others.length > 0) throw eventConflict(others.map(({ seq }) => seq));
};

export const eventConflict = (seqs: readonly number[]): LedgerRequestError =>
  new LedgerRequestError(
    'event_conflict',
    `stored under the same id with another body: sequence ${seqs.slice(0, 10).join(', ')}`,
  );
