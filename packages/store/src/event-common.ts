import { hash } from 'node:crypto';
import type { LedgerEvent } from '@tollgate/ledger';
import type { Transaction } from './connection.ts';
import type { ResolvedCharge } from './resolved-charges.ts';
import { storableJson } from './storable.ts';

/** The rows of `event_common`: what many events of a month share, each kind once. Made once and never changed. */
export interface CommonColumns {
  readonly attempt: number;
  readonly namespace: string;
  readonly workload: string;
  readonly workload_kind: string | null;
  readonly service_account: string | null;
  readonly pod: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly team: string;
  readonly prompt_id: string | null;
  readonly prompt_version: string | null;
  readonly route: string | null;
  readonly backend: string | null;
  readonly provider: string;
  readonly format: string;
  readonly model_asked: string | null;
  readonly model_sent: string | null;
  readonly model_answered: string | null;
  readonly settle: LedgerEvent['settle'];
  readonly price_version: string | null;
  readonly price_row: LedgerEvent['priceRow'];
  readonly unproven: boolean;
  readonly stream: boolean;
  readonly status: number | null;
  readonly counter_ids: readonly string[];
  readonly counter_epochs: readonly string[];
  readonly would_refuse: readonly boolean[];
}

export interface CommonRow {
  readonly hash: string;
  readonly json: string;
}

/** The row for all events that are like this one and were charged to these counters. */
export const commonRow = (event: LedgerEvent, charges: readonly ResolvedCharge[]): CommonRow => {
  const json = storableJson(columnsOf(event, charges));
  return { hash: hash('sha256', json, 'hex'), json };
};

const columnsOf = (event: LedgerEvent, charges: readonly ResolvedCharge[]): CommonColumns => ({
  attempt: event.attempt,
  namespace: event.subject.namespace,
  workload: event.subject.workload,
  workload_kind: event.subject.workloadKind ?? null,
  service_account: event.subject.serviceAccount ?? null,
  pod: event.subject.pod ?? null,
  labels: event.subject.labels,
  team: event.subject.team,
  prompt_id: event.promptId,
  prompt_version: event.promptVersion,
  route: event.route,
  backend: event.backend,
  provider: event.provider,
  format: event.format,
  model_asked: event.modelAsked,
  model_sent: event.modelSent,
  model_answered: event.modelAnswered,
  settle: event.settle,
  price_version: event.priceVersion,
  price_row: event.priceRow,
  unproven: event.unproven,
  stream: event.stream,
  status: event.status,
  counter_ids: charges.map(({ counterId }) => String(counterId)),
  counter_epochs: charges.map(({ charge }) => charge.epoch),
  would_refuse: charges.map(({ charge }) => charge.wouldRefuse === true),
});

const TYPES: Readonly<Record<keyof CommonColumns, string>> = {
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
const NAMES = Object.keys(TYPES).join(', ');
const TYPED = Object.entries(TYPES)
  .map(([name, type]) => `${name} ${type}`)
  .join(', ');

/** In the order of their hashes, so that two batches that bring the same do not wait for each other. */
const INSERT = `INSERT INTO event_common (month, hash, ${NAMES})
  SELECT month, decode(hash, 'hex'), ${NAMES} FROM json_to_recordset($1::json) AS r (month date, hash text, ${TYPED})
  ORDER BY hash ON CONFLICT (hash, month) DO NOTHING`;

/** In a month whose partitions are there. */
export interface CommonOfMonth extends CommonRow {
  readonly month: string;
}

export const commonKey = ({ month, hash: of }: CommonOfMonth): string => `${month} ${of}`;

/** The id of each row by `commonKey`; made where nobody had it. */
export const commonIds = async (
  tx: Transaction,
  rows: readonly CommonOfMonth[],
): Promise<ReadonlyMap<string, string>> => {
  await tx.query(INSERT, [
    `[${rows.map(({ month, hash: of, json }) => `{"month":"${month}","hash":"${of}",${json.slice(1)}`).join(',')}]`,
  ]);
  const found = await tx.query<{ month: string; hash: string; id: string }>(
    `SELECT to_char(c.month, 'YYYY-MM-DD') AS month, encode(c.hash, 'hex') AS hash, c.id::text
     FROM unnest($1::date[], $2::text[]) AS r(month, hash)
     JOIN event_common c ON c.month = r.month AND c.hash = decode(r.hash, 'hex')`,
    [rows.map(({ month }) => month), rows.map(({ hash: of }) => of)],
  );
  return new Map(found.map(({ id, ...row }) => [`${row.month} ${row.hash}`, id]));
};
