import { UNMETERED } from '@tollgate/ledger';
import { foldLocked } from './charge-fold.ts';
import { prepared, type Transaction } from './connection.ts';
import { lockCounters } from './counter-row.ts';
import { gainOf, modelOf, type Gain } from './event-groups.ts';
import type { ResolvedGroup } from './known-rows.ts';

/**
 * What new events add to counters and to usage, as rows to append: nothing that another batch wants is locked. Only a
 * charge of an epoch that is closed waits for its counter, since it takes from what was booked as unresolved there.
 */
export interface Additions {
  readonly charges: readonly ChargeRow[];
  readonly usage: readonly UsageRow[];
  /** Counters to fold before the commit; they are locked. */
  readonly late: readonly bigint[];
}

/** Amounts as text, to stay exact in JSON. */
export interface ChargeRow {
  readonly counter_id: string;
  readonly epoch: string;
  readonly model: string;
  readonly charged: string;
  readonly allocated: string;
  readonly unresolved: string;
  readonly calls: string;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly would_refuse: string;
  readonly unproven: string;
  readonly estimated: string;
  readonly unmetered: string;
}

export interface UsageRow {
  readonly team: string;
  readonly namespace: string;
  readonly workload: string;
  readonly provider: string;
  readonly model: string;
  readonly prompt_id: string;
  readonly prompt_version: string;
  readonly charged: string;
  readonly calls: string;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly unproven: string;
  readonly estimated: string;
}

/** Ten minutes: fine enough for a burn rate, and 4,464 rows a month and model. */
export const SLOT_MS = 600_000;

export const additionsOf = async (tx: Transaction, groups: readonly ResolvedGroup[]): Promise<Additions> => {
  const gained = groups.map((group) => ({ group, gain: gainOf(group.members) }));
  const epochs = await epochStates(tx, epochsOf(groups));
  const charges = gained.flatMap(({ group, gain }) => chargeRows(group, gain, epochs));
  const late = charges.filter(({ epoch }) => epochs.get(epoch) === 'closed');
  return {
    charges: late.length === 0 ? charges : [...charges, ...(await fromUnresolved(tx, late))],
    usage: gained.map(({ group, gain }) => usageRow(group, gain)),
    late: late.map(({ counter_id }) => BigInt(counter_id)),
  };
};

const epochsOf = (groups: readonly ResolvedGroup[]): readonly string[] => [
  ...new Set(
    groups.flatMap(({ charges }) => charges.map(({ charge }) => charge.epoch)).filter((epoch) => epoch !== ''),
  ),
];

/** Kept from changing until the commit: an epoch must not close while a charge of it is on its way. */
const epochStates = async (tx: Transaction, ids: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<{ id: string; state: string }>(SHARE, [ids]);
  return new Map(rows.map(({ id, state }) => [id, state]));
};

const SHARE = prepared('SELECT id, state FROM epoch WHERE id = ANY($1::text[]) ORDER BY id FOR SHARE');

/** Where no block of a living epoch stands behind a charge, it brings its own: Soft and Audit always. */
const chargeRows = (
  { sample, charges }: ResolvedGroup,
  gain: Gain,
  epochs: ReadonlyMap<string, string>,
): readonly ChargeRow[] =>
  charges.map(({ charge, counterId }, n) => {
    const charged = gain.byCounter[n] ?? 0n;
    const state = epochs.get(charge.epoch);
    const isLeased = state === 'open' || state === 'sealed';
    return {
      counter_id: String(counterId),
      epoch: charge.epoch,
      model: modelOf(sample),
      charged: String(charged),
      allocated: isLeased ? '0' : String(charged),
      unresolved: '0',
      would_refuse: charge.wouldRefuse === true ? String(gain.calls) : '0',
      // What was not sent was no call.
      unmetered: sample.format === UNMETERED && sample.settle !== 'void' ? String(gain.calls) : '0',
      ...sums(sample, gain),
    };
  });

const usageRow = ({ sample }: ResolvedGroup, gain: Gain): UsageRow => ({
  team: sample.subject.team,
  namespace: sample.subject.namespace,
  workload: sample.subject.workload,
  provider: sample.provider,
  model: modelOf(sample),
  prompt_id: sample.promptId ?? '',
  prompt_version: sample.promptVersion ?? '',
  charged: String(gain.charged),
  ...sums(sample, gain),
});

const sums = ({ unproven, settle }: ResolvedGroup['sample'], { calls, inputTokens, outputTokens }: Gain) => ({
  calls: String(calls),
  input_tokens: String(inputTokens),
  output_tokens: String(outputTokens),
  unproven: unproven ? String(calls) : '0',
  estimated: settle === 'estimated' ? String(calls) : '0',
});

/** A spool that turns up after its epoch was closed takes first what was booked as unresolved on its account. */
const fromUnresolved = async (tx: Transaction, late: readonly ChargeRow[]): Promise<readonly ChargeRow[]> => {
  const ids = [...new Set(late.map(({ counter_id }) => BigInt(counter_id)))];
  await lockCounters(tx, ids);
  await foldLocked(tx, ids);
  const charged = new Map<string, { row: ChargeRow; amount: bigint }>();
  for (const row of late) {
    const key = `${row.counter_id} ${row.epoch}`;
    charged.set(key, { row, amount: (charged.get(key)?.amount ?? 0n) + BigInt(row.charged) });
  }
  const unresolved = await tx.query<{ counter_id: bigint; epoch: string; unresolved: bigint }>(
    'SELECT counter_id, epoch, unresolved FROM counter_epoch WHERE counter_id = ANY($1::bigint[]) AND unresolved > 0',
    [ids],
  );
  return unresolved.flatMap((booked) => {
    const found = charged.get(`${String(booked.counter_id)} ${booked.epoch}`);
    if (!found) return [];
    const taken = String(-(booked.unresolved < found.amount ? booked.unresolved : found.amount));
    return [{ ...found.row, ...NOTHING, allocated: taken, unresolved: taken }];
  });
};

const NOTHING = {
  charged: '0',
  calls: '0',
  input_tokens: '0',
  output_tokens: '0',
  would_refuse: '0',
  unproven: '0',
  estimated: '0',
  unmetered: '0',
};
