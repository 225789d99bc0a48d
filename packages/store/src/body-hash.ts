/** What tells a repeated delivery of an event from another body under the same id. */
import { hash } from 'node:crypto';
import type { LedgerEvent } from '@tollgate/ledger';

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
