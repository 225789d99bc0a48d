import { hash } from 'node:crypto';
import { inputTokens, outputTokens } from '@tollgate/metering';
import type { LedgerEvent } from '@tollgate/ledger';
import type { ResolvedEvent } from './resolved-charges.ts';

/**
 * An event as a row of `event`, as JSON that Postgres reads back by column name; amounts as text, to stay exact. Reading
 * fields is what a batch costs, so those that one pod's calls have in common are sent once a batch for all of them.
 */
export interface OwnColumns {
  readonly seq: number;
  readonly request_id: string;
  readonly user_id: string | null;
  readonly usage: LedgerEvent['usage'];
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly held: string;
  readonly charged: string;
  readonly started_ms: number;
  readonly ended_ms: number;
  readonly body_hash: string;
  readonly counter_held: readonly string[];
  readonly counter_amount: readonly string[];
}

export interface SharedColumns {
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

export const ownColumns = ({ event, charges }: ResolvedEvent): OwnColumns => ({
  seq: event.seq,
  request_id: event.requestId,
  user_id: event.user,
  usage: event.usage,
  input_tokens: inputTokens(event.usage),
  output_tokens: outputTokens(event.usage),
  held: String(event.held),
  charged: String(event.charged),
  started_ms: event.startedAt,
  ended_ms: event.endedAt,
  body_hash: bodyHash(event),
  counter_held: charges.map(({ charge }) => String(charge.held)),
  counter_amount: charges.map(({ charge }) => String(charge.charged)),
});

export const sharedColumns = ({ event, charges }: ResolvedEvent): SharedColumns => ({
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

/**
 * Tells a repeated delivery from another body under the same id. The fields and their order are frozen: an event sent
 * before an upgrade and again after it must hash alike. Columns that come later stay out of it.
 */
export const bodyHash = (event: LedgerEvent): string =>
  hash(
    'sha256',
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
    'hex',
  );

const sortedEntries = (usage: LedgerEvent['usage']): readonly [string, number][] =>
  Object.entries(usage).sort(([a], [b]) => (a < b ? -1 : 1));
