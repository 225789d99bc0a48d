import { OVERDRAFT_LIMIT } from '@tollgate/budget';
import { counterKey, type CounterName, type LedgerEvent } from '@tollgate/ledger';
import type { CounterTerms, PoolBalance } from '@tollgate/ledger/pool';
import type { Transaction } from './connection.ts';
import { readAround } from './counter-row.ts';
import { monthOf } from './event-months.ts';
import { isSeedDue, seededSince, spanStart } from './seed-span.ts';
import { toSubject, type SubjectColumns } from './subject-columns.ts';

/**
 * What a counter starts from, and what it missed. A new limit, one whose period, zone, unit, partition or scope changed,
 * and one that comes back, starts from what the events of its window say plus what is leased; a window that began under
 * the present definition starts from nothing. What was charged to the counter itself is in it already, and not seeded.
 */
export interface Seed {
  readonly spent: bigint;
  /** Leased to proxies when the counter began: its calls do not know the counter yet. Booked as unresolved. */
  readonly open: bigint;
  /** The definition that it is read under: its `since_ms`. */
  readonly since: bigint;
}

export const NO_SEED: Seed = { spent: 0n, open: 0n, since: 0n };

/** An event as far as it tells whether, and with how much, a limit would have counted it. */
export type SeedEvent = Pick<
  LedgerEvent,
  'attempt' | 'subject' | 'user' | 'modelAsked' | 'modelSent' | 'modelAnswered' | 'usage' | 'settle' | 'charged'
>;

export interface SeedSource {
  /** What this counter would have been charged for the event; 0 where it does not match. */
  readonly amountOf: (terms: CounterTerms, event: SeedEvent) => bigint;
  /** What lies in the pool is in nobody's hand. */
  readonly pooled: () => Promise<readonly PoolBalance[]>;
}

/** In one view of the database. Without a source a counter starts from nothing. */
export const readSeed = async (tx: Transaction, terms: CounterTerms, source?: SeedSource): Promise<Seed> => {
  const [definition] = await tx.query<{ since_ms: bigint }>(
    'SELECT since_ms FROM limit_definition WHERE budget = $1 AND limit_name = $2',
    [terms.budget, terms.limit],
  );
  const since = definition?.since_ms ?? 0n;
  const rows = await readAround(tx, terms);
  if (!definition || !source || !isSeedDue(terms, since, seededSince(rows))) return { ...NO_SEED, since };
  const start = spanStart(terms);
  const span: SeedSpan = {
    // The buckets of a sliding limit keep what was seeded before: only what came later is missing.
    since: terms.sliding ? Math.max(start, Number(seededSince(rows))) : start,
    defined: Number(since),
    own: rows.map(({ id }) => id),
  };
  return {
    since,
    spent: await spentIn(tx, terms, span, source),
    // Nothing but an overdraft's own leases can be spent of it.
    open: terms.limit === OVERDRAFT_LIMIT ? 0n : await openLeases(tx, terms, span, source),
  };
};

interface SeedSpan {
  /** From when on events count. */
  readonly since: number;
  /** When the limit became what it is. */
  readonly defined: number;
  /** The counter, as far as it is there; of a sliding limit its buckets around. */
  readonly own: readonly bigint[];
}

/** Proxies hear of a limit within seconds, and calls that began before end within the hour: later events name it. */
const GRACE_MS = 3_600_000;

const PAGE = 2_000;

interface SeedRow extends SubjectColumns {
  readonly instance_n: bigint;
  readonly seq: bigint;
  readonly attempt: number;
  readonly user_id: string | null;
  readonly model_asked: string | null;
  readonly model_sent: string | null;
  readonly model_answered: string | null;
  readonly usage: LedgerEvent['usage'];
  readonly settle: LedgerEvent['settle'];
  readonly charged: bigint;
}

const spentIn = async (
  tx: Transaction,
  terms: CounterTerms,
  { since, defined, own }: SeedSpan,
  source: SeedSource,
): Promise<bigint> => {
  let spent = 0n;
  let last: SeedRow | undefined;
  do {
    const page: readonly SeedRow[] = await tx.query<SeedRow>(
      `SELECT e.instance_n, e.seq, c.attempt, c.namespace, c.workload, c.workload_kind, c.service_account, c.pod, c.labels,
              c.team, e.user_id, c.model_asked, c.model_sent, c.model_answered, e.usage, c.settle, e.charged
       FROM event e JOIN event_common c ON c.month = e.month AND c.id = e.common
       WHERE e.month BETWEEN $6::date AND $7::date AND e.recorded_at >= to_timestamp($1::double precision / 1000)
         AND e.recorded_at < to_timestamp($5::double precision / 1000) AND (e.instance_n, e.seq) > ($2::bigint, $3::bigint)
         AND NOT c.counter_ids && $8::bigint[]
       ORDER BY e.instance_n, e.seq LIMIT $4`,
      [
        since,
        last?.instance_n ?? -1n,
        last?.seq ?? -1n,
        PAGE,
        defined + GRACE_MS,
        monthOf(since),
        monthOf(defined + GRACE_MS),
        own,
      ],
    );
    for (const row of page) spent += source.amountOf(terms, toSeedEvent(row));
    last = page.length === PAGE ? page.at(-1) : undefined;
  } while (last);
  return spent;
};

const toSeedEvent = (row: SeedRow): SeedEvent => ({
  attempt: row.attempt,
  subject: toSubject(row),
  user: row.user_id,
  modelAsked: row.model_asked,
  modelSent: row.model_sent,
  modelAnswered: row.model_answered,
  usage: row.usage,
  settle: row.settle,
  charged: row.charged,
});

/**
 * A call in flight holds the same amount of each limit of its budget in one unit, so the fullest of the sibling limits
 * tells how much is open. Its charges will name that sibling, and not the counter that begins here. Leases of counters
 * that had none before the limit was defined are of calls that know it, and the counter's own leases are its own.
 */
const openLeases = async (
  tx: Transaction,
  terms: CounterTerms,
  { defined, own }: SeedSpan,
  { pooled }: SeedSource,
): Promise<bigint> => {
  const siblings = await tx.query<{ limit_name: string; partition_value: string; window_id: string; open: bigint }>(
    `SELECT c.limit_name, c.partition_value, c.window_id,
            sum(e.allocated - e.refunded - e.settled - e.unresolved)::bigint
              - (SELECT coalesce(sum(d.charged + d.unresolved - d.allocated), 0)::bigint FROM charge_delta d
                 WHERE d.counter_id = c.id AND d.epoch <> '') AS open
     FROM counter c JOIN counter_epoch e ON e.counter_id = c.id
     WHERE c.budget = $1 AND c.unit = $2 AND ($3 = '' OR c.partition_value IN ('', $3))
       AND (c.window_end_ms IS NULL OR c.window_end_ms > $4) AND e.epoch <> '' AND c.id <> ALL ($6::bigint[])
       AND EXISTS (SELECT 1 FROM block b WHERE b.counter_id = c.id AND b.taken_at < to_timestamp($5::double precision / 1000))
     GROUP BY c.id`,
    [terms.budget, terms.unit, terms.partition, spanStart(terms), defined, own],
  );
  const inPool = new Map((await pooled()).map((balance) => [keyOf(balance, balance.windowId), balance.pooled]));
  const openByLimit = new Map<string, bigint>();
  for (const row of siblings) {
    const name = { budget: terms.budget, limit: row.limit_name, partition: row.partition_value };
    const open = row.open - (inPool.get(keyOf(name, row.window_id)) ?? 0n);
    if (open > 0n) openByLimit.set(row.limit_name, (openByLimit.get(row.limit_name) ?? 0n) + open);
  }
  return [...openByLimit.values()].reduce((most, open) => (open > most ? open : most), 0n);
};

const keyOf = (name: CounterName, windowId: string): string => `${counterKey(name)}@${windowId}`;
