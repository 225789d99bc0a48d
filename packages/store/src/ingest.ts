import type { PoolCharge } from '@tollgate/ledger/pool';
import { additionsOf, SLOT_MS, type Additions } from './charge-booking.ts';
import { foldLocked } from './charge-fold.ts';
import { prepared, type Transaction } from './connection.ts';
import { decodeRanges, deliver, encodeRanges, isDelivered, MAX_GAPS, type Delivered } from './delivered.ts';
import type { Member } from './event-groups.ts';
import { insertEvents, refuseOtherBodies } from './event-insert.ts';
import { monthOf } from './event-months.ts';
import type { ResolvedGroup } from './known-rows.ts';
import { storableJson } from './storable.ts';
import { LedgerRequestError } from '@tollgate/ledger/pool';

/**
 * One batch of one instance's events: rows, idempotency and roll-ups in one commit. Roll-ups are made from the rows
 * that were inserted and from no others, so a batch may come any number of times, in any order. In the order of locks:
 * the instance, which no other batch of it passes; its epochs, shared; and no counter, but for epochs that are closed.
 */
export interface IngestBatch {
  readonly instance: string;
  readonly groups: readonly ResolvedGroup[];
}

export interface Ingested {
  /** All events up to it are stored. */
  readonly ack: number;
  readonly inserted: number;
  /** Charges of leases that this batch brought: what the pool must hear of, after the commit. */
  readonly charges: readonly PoolCharge[];
}

export const ingest = async (tx: Transaction, { instance, groups }: IngestBatch, now: number): Promise<Ingested> => {
  const known = await lockInstance(tx, instance, now);
  const [fresh, repeated] = parted(groups, known.delivered);
  await refuseOtherBodies(tx, known.n, repeated);
  const rows = fresh.flatMap(({ members, common }) => members.map((member) => ({ ...member, common })));
  const delivered = deliver(
    known.delivered,
    rows.map(({ event }) => event.seq),
  );
  if (rows.length > 0) {
    refuseTooManyGaps(delivered);
    await insertEvents(tx, { month: monthOf(now), instance: known.n, now }, rows);
    const additions = await additionsOf(tx, fresh);
    await write(tx, { instance, delivered, additions, now });
    await foldLocked(tx, additions.late);
  }
  return {
    ack: delivered.acked,
    inserted: rows.length,
    charges: additionsToPool(instance, fresh),
  };
};

const LOCK = prepared('SELECT n, acked_seq, ahead::text FROM instance WHERE id = $1 FOR UPDATE');

/** Batches of one instance run one after another. A spool that outlived this database's memory of it is taken in too. */
const lockInstance = async (
  tx: Transaction,
  instance: string,
  now: number,
): Promise<{ readonly n: bigint; readonly delivered: Delivered }> => {
  for (;;) {
    const [row] = await tx.query<{ n: bigint; acked_seq: bigint; ahead: string }>(LOCK, [instance]);
    if (row) return { n: row.n, delivered: { acked: Number(row.acked_seq), ahead: decodeRanges(row.ahead) } };
    await tx.query(
      `INSERT INTO instance (id, hello_at) VALUES ($1, to_timestamp($2::double precision / 1000)) ON CONFLICT DO NOTHING`,
      [instance, now],
    );
  }
};

const parted = (
  groups: readonly ResolvedGroup[],
  delivered: Delivered,
): readonly [fresh: readonly ResolvedGroup[], repeated: readonly Member[]] => {
  const repeated: Member[] = [];
  const fresh = groups.flatMap((group) => {
    const members = group.members.filter((member) => {
      const isOld = isDelivered(delivered, member.event.seq);
      if (isOld) repeated.push(member);
      return !isOld;
    });
    return members.length === 0 ? [] : [{ ...group, members }];
  });
  return [fresh, repeated];
};

const refuseTooManyGaps = ({ acked, ahead }: Delivered): void => {
  if (ahead.length <= MAX_GAPS) return;
  throw new LedgerRequestError('events_missing', `more than ${String(MAX_GAPS)} gaps after sequence ${String(acked)}`);
};

interface Writing {
  readonly instance: string;
  readonly delivered: Delivered;
  readonly additions: Additions;
  readonly now: number;
}

const write = async (tx: Transaction, { instance, delivered, additions, now }: Writing): Promise<void> => {
  await tx.query(WRITE, [
    instance,
    delivered.acked,
    encodeRanges(delivered.ahead),
    storableJson(additions.charges),
    now - (now % SLOT_MS),
    storableJson(additions.usage),
    new Date(now).toISOString().slice(0, 10),
  ]);
};

/** Everything but the rows in one statement. The day is the ledger's, in UTC: a proxy's clock moves nothing between days. */
const WRITE = prepared(`WITH charge AS (
    SELECT * FROM json_to_recordset($4::json) AS c(counter_id bigint, epoch text, model text, charged bigint,
      allocated bigint, unresolved bigint, calls bigint, input_tokens bigint, output_tokens bigint, would_refuse bigint,
      unproven bigint, estimated bigint, unmetered bigint)
  ), of_counter AS (
    INSERT INTO charge_delta (counter_id, slot_ms, charged, allocated, unresolved, calls, input_tokens, output_tokens,
                              would_refuse, unproven, estimated, unmetered, epoch, model)
    SELECT counter_id, $5::bigint, sum(charged), sum(allocated), sum(unresolved), sum(calls), sum(input_tokens),
           sum(output_tokens), sum(would_refuse), sum(unproven), sum(estimated), sum(unmetered), epoch, model
    FROM charge GROUP BY counter_id, epoch, model
  ), of_instance AS (
    INSERT INTO instance_charge (instance, epoch, counter_id, charged)
    SELECT $1, epoch, counter_id, sum(charged) FROM charge WHERE epoch <> '' GROUP BY epoch, counter_id
    ON CONFLICT (instance, epoch, counter_id) DO UPDATE SET charged = instance_charge.charged + excluded.charged
  ), of_day AS (
    INSERT INTO usage_delta (day, charged, calls, input_tokens, output_tokens, unproven, estimated, team, namespace,
                             workload, provider, model, prompt_id, prompt_version)
    SELECT $7::date, sum(charged), sum(calls), sum(input_tokens), sum(output_tokens), sum(unproven), sum(estimated),
           team, namespace, workload, provider, model, prompt_id, prompt_version
    FROM json_to_recordset($6::json) AS u(team text, namespace text, workload text, provider text, model text,
      prompt_id text, prompt_version text, charged bigint, calls bigint, input_tokens bigint, output_tokens bigint,
      unproven bigint, estimated bigint)
    GROUP BY team, namespace, workload, provider, model, prompt_id, prompt_version
  )
  UPDATE instance SET acked_seq = $2, ahead = $3::int8multirange WHERE id = $1`);

const additionsToPool = (instance: string, fresh: readonly ResolvedGroup[]): readonly PoolCharge[] =>
  fresh.flatMap(({ charges, members }) =>
    charges.flatMap(({ charge: { budget, limit, partition, windowId, epoch } }, n) =>
      epoch === ''
        ? []
        : [
            {
              instance,
              budget,
              limit,
              partition,
              windowId,
              epoch,
              charged: members.reduce((sum, { event }) => sum + (event.counters[n]?.charged ?? 0n), 0n),
            },
          ],
    ),
  );
