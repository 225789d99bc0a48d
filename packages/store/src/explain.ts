import type { CounterCharge, LedgerEvent } from '@tollgate/ledger';
import type { LimitUnit } from '@tollgate/api';
import type { Transaction } from './connection.ts';
import { toSubject, type SubjectColumns } from './subject-columns.ts';

/** Every attempt of one call: whom it was charged to, what was held, at which price, how it was settled. */
export interface ExplainedAttempt extends Omit<LedgerEvent, 'counters'> {
  readonly recordedAt: number;
  readonly counters: readonly ExplainedCharge[];
}

export interface ExplainedCharge extends CounterCharge {
  readonly unit: LimitUnit;
  /** The limit's maximum as it was when last allocated from. */
  readonly max: bigint;
  readonly windowStart: number;
  readonly windowEnd: number | null;
}

/** Of one namespace's calls, or of all (null). */
export const explain = async (
  tx: Transaction,
  requestId: string,
  namespace: string | null,
): Promise<readonly ExplainedAttempt[]> => {
  const events = await tx.query<EventColumns>(
    `SELECT i.id AS instance, e.*, c.*, (extract(epoch FROM e.recorded_at) * 1000)::bigint AS recorded_ms
     FROM event e JOIN event_common c ON c.month = e.month AND c.id = e.common JOIN instance i ON i.n = e.instance_n
     WHERE e.request_id = $1 AND ($2::text IS NULL OR c.namespace = $2) ORDER BY c.attempt, i.id, e.seq LIMIT 100`,
    [requestId, namespace],
  );
  const charges = await tx.query<ChargeColumns>(
    `SELECT i.id AS instance, e.seq, r.epoch, r.held, r.charged, r.would_refuse, c.budget, c.limit_name, c.partition_value,
            c.window_id, c.window_start_ms, c.window_end_ms, c.unit, c.limit_max
     FROM event e JOIN event_common k ON k.month = e.month AND k.id = e.common JOIN instance i ON i.n = e.instance_n
     CROSS JOIN unnest(k.counter_ids, k.counter_epochs, e.counter_held, e.counter_amount, k.would_refuse)
       AS r(counter_id, epoch, held, charged, would_refuse)
     JOIN counter c ON c.id = r.counter_id
     WHERE e.request_id = $1 AND ($2::text IS NULL OR k.namespace = $2)
     ORDER BY c.budget, c.limit_name, c.partition_value`,
    [requestId, namespace],
  );
  return events.map((row) =>
    toAttempt(
      row,
      charges.filter((charge) => charge.instance === row.instance && charge.seq === row.seq),
    ),
  );
};

interface EventColumns extends SubjectColumns {
  readonly instance: string;
  readonly seq: bigint;
  readonly request_id: string;
  readonly attempt: number;
  readonly user_id: string | null;
  readonly prompt_id: string | null;
  readonly prompt_version: string | null;
  readonly route: string | null;
  readonly backend: string | null;
  readonly provider: string;
  readonly format: string;
  readonly model_asked: string | null;
  readonly model_sent: string | null;
  readonly model_answered: string | null;
  readonly usage: LedgerEvent['usage'];
  readonly settle: LedgerEvent['settle'];
  readonly held: bigint;
  readonly charged: bigint;
  readonly price_version: string | null;
  readonly price_row: LedgerEvent['priceRow'];
  readonly unproven: boolean;
  readonly stream: boolean;
  readonly status: number | null;
  readonly started_ms: bigint;
  readonly ended_ms: bigint;
  readonly first_byte_ms: bigint | null;
  readonly recorded_ms: bigint;
}

interface ChargeColumns {
  readonly instance: string;
  readonly seq: bigint;
  readonly epoch: string;
  readonly held: bigint;
  readonly charged: bigint;
  readonly would_refuse: boolean;
  readonly budget: string;
  readonly limit_name: string;
  readonly partition_value: string;
  readonly window_id: string;
  readonly window_start_ms: bigint;
  readonly window_end_ms: bigint | null;
  readonly unit: LimitUnit;
  readonly limit_max: bigint;
}

const toAttempt = (row: EventColumns, charges: readonly ChargeColumns[]): ExplainedAttempt => ({
  instance: row.instance,
  seq: Number(row.seq),
  requestId: row.request_id,
  attempt: row.attempt,
  subject: toSubject(row),
  user: row.user_id,
  promptId: row.prompt_id,
  promptVersion: row.prompt_version,
  route: row.route,
  backend: row.backend,
  provider: row.provider,
  format: row.format,
  modelAsked: row.model_asked,
  modelSent: row.model_sent,
  modelAnswered: row.model_answered,
  usage: row.usage,
  settle: row.settle,
  held: row.held,
  charged: row.charged,
  priceVersion: row.price_version,
  priceRow: row.price_row,
  unproven: row.unproven,
  stream: row.stream,
  status: row.status,
  startedAt: Number(row.started_ms),
  endedAt: Number(row.ended_ms),
  ...(row.first_byte_ms === null ? {} : { firstByteAt: Number(row.first_byte_ms) }),
  recordedAt: Number(row.recorded_ms),
  counters: charges.map(toCharge),
});

const toCharge = (row: ChargeColumns): ExplainedCharge => ({
  budget: row.budget,
  limit: row.limit_name,
  partition: row.partition_value,
  windowId: row.window_id,
  epoch: row.epoch,
  held: row.held,
  charged: row.charged,
  ...(row.would_refuse ? { wouldRefuse: true } : {}),
  unit: row.unit,
  max: row.limit_max,
  windowStart: Number(row.window_start_ms),
  windowEnd: row.window_end_ms === null ? null : Number(row.window_end_ms),
});
