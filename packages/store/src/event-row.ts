import { createHash } from 'node:crypto';
import { inputTokens, outputTokens } from '@tollgate/metering';
import type { LedgerEvent } from '@tollgate/ledger';

/** An event as a row of `event`, as JSON that Postgres reads back by column name; amounts as text, to stay exact. */
export interface EventRow {
  readonly seq: number;
  readonly request_id: string;
  readonly attempt: number;
  readonly namespace: string;
  readonly workload: string;
  readonly workload_kind: string | null;
  readonly service_account: string | null;
  readonly pod: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly team: string;
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
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly settle: LedgerEvent['settle'];
  readonly held: string;
  readonly charged: string;
  readonly price_version: string | null;
  readonly price_row: LedgerEvent['priceRow'];
  readonly unproven: boolean;
  readonly stream: boolean;
  readonly status: number | null;
  readonly started_ms: number;
  readonly ended_ms: number;
  readonly body_hash: string;
}

export const toEventRow = (event: LedgerEvent): EventRow => {
  const body = {
    seq: event.seq,
    request_id: event.requestId,
    attempt: event.attempt,
    namespace: event.subject.namespace,
    workload: event.subject.workload,
    workload_kind: event.subject.workloadKind ?? null,
    service_account: event.subject.serviceAccount ?? null,
    pod: event.subject.pod ?? null,
    labels: event.subject.labels,
    team: event.subject.team,
    user_id: event.user,
    prompt_id: event.promptId,
    prompt_version: event.promptVersion,
    route: event.route,
    backend: event.backend,
    provider: event.provider,
    format: event.format,
    model_asked: event.modelAsked,
    model_sent: event.modelSent,
    model_answered: event.modelAnswered,
    usage: event.usage,
    input_tokens: inputTokens(event.usage),
    output_tokens: outputTokens(event.usage),
    settle: event.settle,
    held: String(event.held),
    charged: String(event.charged),
    price_version: event.priceVersion,
    price_row: event.priceRow,
    unproven: event.unproven,
    stream: event.stream,
    status: event.status,
    started_ms: event.startedAt,
    ended_ms: event.endedAt,
  };
  return { ...body, body_hash: hashOf(event) };
};

/**
 * Tells a repeated delivery from another body under the same id. The fields and their order are frozen: an event sent
 * before an upgrade and again after it must hash alike. Columns that come later stay out of it.
 */
const hashOf = (event: LedgerEvent): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        event.requestId,
        event.attempt,
        event.subject.namespace,
        event.subject.workload,
        event.user,
        event.provider,
        event.modelSent,
        event.modelAnswered,
        sortedEntries(event.usage),
        event.settle,
        String(event.held),
        String(event.charged),
        event.priceVersion,
        event.startedAt,
        event.endedAt,
        event.counters.map((counter) => [
          counter.budget,
          counter.limit,
          counter.partition,
          counter.windowId,
          counter.epoch,
          String(counter.held),
          String(counter.charged),
        ]),
      ]),
    )
    .digest('hex');

const sortedEntries = (usage: LedgerEvent['usage']): readonly [string, number][] =>
  Object.entries(usage).sort(([a], [b]) => (a < b ? -1 : 1));
