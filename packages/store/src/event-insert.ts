import { numberArray, textArray } from './array-literal.ts';
import { inputTokens, outputTokens } from '@tollgate/metering';
import { prepared, type Transaction } from './connection.ts';
import { eventConflict } from './event-conflict.ts';
import type { Member } from './event-groups.ts';
import { storable } from './storable.ts';

/** Rows of events. What is new is decided by the instance's row, which the caller has locked. */
export interface EventRow extends Member {
  /** The row of `event_common`. */
  readonly common: string;
}

const INSERT =
  prepared(`INSERT INTO event (month, instance_n, recorded_at, seq, common, input_tokens, output_tokens, held, charged,
    started_ms, ended_ms, first_byte_ms, request_id, user_id, usage, counter_held, counter_amount, body_hash)
  SELECT $1::date, $2::bigint, to_timestamp($3::double precision / 1000), seq, common, input_tokens, output_tokens, held, charged,
    started_ms, ended_ms, first_byte_ms, request_id, user_id, usage::jsonb, counter_held::bigint[], counter_amount::bigint[],
    decode(body_hash, 'hex')
  FROM unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
              $12::bigint[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[])
    AS r(seq, common, input_tokens, output_tokens, held, charged, started_ms, ended_ms, first_byte_ms, request_id, user_id,
         usage, counter_held, counter_amount, body_hash)`);

/** `month` has its partitions; `instance` is its number. */
export const insertEvents = async (
  tx: Transaction,
  { month, instance, now }: { readonly month: string; readonly instance: bigint; readonly now: number },
  rows: readonly EventRow[],
): Promise<void> => {
  if (rows.length === 0) return;
  const numbers = (of: (row: EventRow) => number | bigint): string => numberArray(rows.map(of));
  const texts = (of: (row: EventRow) => string | null): string => textArray(rows.map(of));
  await tx.query(INSERT, [
    month,
    instance,
    now,
    numbers(({ event }) => event.seq),
    `{${rows.map(({ common }) => common).join(',')}}`,
    numbers(({ event }) => inputTokens(event.usage)),
    numbers(({ event }) => outputTokens(event.usage)),
    numbers(({ event }) => event.held),
    numbers(({ event }) => event.charged),
    numbers(({ event }) => event.startedAt),
    numbers(({ event }) => event.endedAt),
    `{${rows.map(({ event }) => event.firstByteAt ?? 'NULL').join(',')}}`,
    texts(({ event }) => storable(event.requestId)),
    texts(({ event }) => (event.user === null ? null : storable(event.user))),
    texts(({ event }) => JSON.stringify(event.usage)),
    texts(({ event }) => numberArray(event.counters.map(({ held }) => held))),
    texts(({ event }) => numberArray(event.counters.map(({ charged }) => charged))),
    `{${rows.map(({ bodyHash }) => bodyHash).join(',')}}`,
  ]);
};

/** Throws where one is stored with another body. Of months that were dropped no body is known: they count as repeated. */
export const refuseOtherBodies = async (
  tx: Transaction,
  instance: bigint,
  repeated: readonly Member[],
): Promise<void> => {
  if (repeated.length === 0) return;
  const stored = await tx.query<{ seq: bigint; body_hash: string }>(
    `SELECT seq, encode(body_hash, 'hex') AS body_hash FROM event WHERE instance_n = $1 AND seq = ANY($2::bigint[])`,
    [instance, numberArray(repeated.map(({ event }) => event.seq))],
  );
  const hashes = new Map(stored.map((row) => [Number(row.seq), row.body_hash]));
  const others = repeated.filter(({ event, bodyHash }) => (hashes.get(event.seq) ?? bodyHash) !== bodyHash);
  if (others.length > 0) throw eventConflict(others.map(({ event }) => event.seq));
};
