/**
 * The provider's log against the ledger, call by call: what was billed has exactly one row that charges at least as much, and
 * exactly as much where the provider said what it was; what was refused has none.
 */
import type { BilledCall } from '@tollgate/testkit';
import type { Outcome } from '../load/send-call.ts';
import type { LedgerRow } from './ledger-rows.ts';

export interface Matched {
  readonly faults: readonly string[];
  readonly billedCalls: number;
  readonly billed: bigint;
  readonly charged: bigint;
  /** Rows by how they were settled. */
  readonly settled: Readonly<Record<string, number>>;
}

/** A failure names so many calls, no more. */
const MOST_NAMED = 8;

export const matchCalls = (
  log: readonly BilledCall[],
  rows: readonly LedgerRow[],
  outcomes: readonly Outcome[],
  /** The caller left, and what the provider sent may have been lost behind it: such a call is charged by an estimate. */
  isBestGuess: (outcome: Outcome) => boolean,
  /** The database itself lost what was committed about it. */
  isLost: (outcome: Outcome) => boolean,
): Matched => {
  const byUser = Map.groupBy(rows, ({ user }) => user ?? '');
  const byLabel = Map.groupBy(log, ({ label }) => label ?? '');
  const faults: string[] = [];
  const report = (what: string, labels: readonly string[]): void => {
    if (labels.length > 0) faults.push(`${what}: ${String(labels.length)} (${labels.slice(0, MOST_NAMED).join(', ')})`);
  };
  const billedOf = (calls: readonly BilledCall[]): bigint =>
    calls.reduce((sum, { billedNano = 0n }) => sum + billedNano, 0n);
  const chargedOf = (some: readonly LedgerRow[]): bigint => some.reduce((sum, { charged }) => sum + charged, 0n);

  const labels = [...byLabel.keys()];
  const lost = new Set(outcomes.filter(isLost).map(({ label }) => label));
  const guesses = new Set(
    outcomes
      .filter((outcome) => byUser.get(outcome.label)?.[0]?.settle === 'abandoned' && isBestGuess(outcome))
      .map(({ label }) => label),
  );
  report(
    'billed and not in the ledger',
    labels.filter((label) => !lost.has(label) && billedOf(byLabel.get(label) ?? []) > 0n && !byUser.has(label)),
  );
  report(
    'charged less than billed',
    labels.filter(
      (label) =>
        !guesses.has(label) &&
        byUser.has(label) &&
        chargedOf(byUser.get(label) ?? []) < billedOf(byLabel.get(label) ?? []),
    ),
  );
  report(
    'settled by usage at another amount than billed',
    labels.filter((label) => {
      const [row, second] = byUser.get(label) ?? [];
      const [call] = byLabel.get(label) ?? [];
      if (row?.settle !== 'usage' || second !== undefined || call === undefined) return false;
      return !call.aborted && call.status === 200 && row.charged !== (call.billedNano ?? 0n);
    }),
  );
  report(
    'several calls at the provider for one of the caller',
    labels.filter((label) => (byLabel.get(label)?.length ?? 0) > 1),
  );
  report(
    'several rows for one call',
    [...byUser].filter(([, some]) => some.length > 1).map(([label]) => label),
  );
  report(
    'one attempt twice',
    [...Map.groupBy(rows, ({ requestId, attempt }) => `${requestId} ${String(attempt)}`)]
      .filter(([, some]) => some.length > 1)
      .map(([id]) => id),
  );
  report(
    'charged more than held',
    rows.filter(({ held, charged }) => charged > held).map(({ user }) => user ?? ''),
  );
  report(
    'answered in full and not in the ledger',
    outcomes
      .filter(({ status, isWhole, label }) => status === 200 && isWhole && !lost.has(label) && !byUser.has(label))
      .map(({ label }) => label),
  );
  report(
    'in the ledger under another request id than the caller was told',
    outcomes
      .filter(({ requestId, status }) => requestId !== null && status === 200)
      .filter(({ requestId, label }) => byUser.get(label)?.every((row) => row.requestId !== requestId) === true)
      .map(({ label }) => label),
  );
  report(
    'refused for money, and sent or charged all the same',
    outcomes
      .filter(({ refusal }) => refusal?.startsWith('budget_') === true)
      .filter(({ label }) => byLabel.has(label) || byUser.has(label))
      .map(({ label }) => label),
  );
  return {
    faults,
    billedCalls: log.filter(({ billedNano = 0n }) => billedNano > 0n).length,
    billed: billedOf(log),
    charged: chargedOf(rows),
    settled: Object.fromEntries(
      [...Map.groupBy(rows, ({ settle }) => settle)].map(([kind, some]) => [kind, some.length]),
    ),
  };
};
