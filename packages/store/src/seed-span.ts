import type { CounterTerms } from '@tollgate/ledger/pool';
import type { CounterRow } from './counter-row.ts';

/** Which counters have to be seeded, and from which events on. */
type Seeded = Pick<CounterRow, 'seeded_since_ms'>;
type Span = Pick<CounterTerms, 'sliding' | 'window'>;

/** Milliseconds UTC: the start of the first bucket that can share a sum with the present one; of a calendar window its own. */
export const spanStart = ({ sliding, window }: Span): number =>
  sliding ? window.start - (sliding.buckets - 1) * sliding.bucketMs : window.start;

/** `lockAround`'s rows: of a sliding limit, one bucket takes over the whole span, and those after it must not again. */
export const seededSince = (rows: readonly Seeded[]): bigint =>
  rows.reduce((latest, { seeded_since_ms: since }) => (since > latest ? since : latest), 0n);

/** The limit came into force within the span, and since then nobody has looked what the events say. */
export const isSeedDue = (terms: Span, defined: bigint | null, seeded: bigint): boolean =>
  defined !== null && defined > spanStart(terms) && seeded < defined;
