import { foldLocked, unfoldedCounters } from './charge-fold.ts';
import type { Transaction } from './connection.ts';
import { lockCounters } from './counter-row.ts';

/** Keeps what is not folded yet short, so that sums stay cheap to read. Any server may, one at a time. */
export const foldUsage = async (tx: Transaction): Promise<void> => {
  if (!(await isOurTurn(tx))) return;
  await tx.query(FOLD_USAGE);
};

/** A few counters a transaction: each is locked until its end. Returns whether there may be more. */
export const foldCharges = async (tx: Transaction): Promise<boolean> => {
  if (!(await isOurTurn(tx))) return false;
  const due = await unfoldedCounters(tx, null);
  const some = due.slice(0, COUNTERS_AT_ONCE);
  await lockCounters(tx, some);
  await foldLocked(tx, some);
  return due.length > some.length;
};

const COUNTERS_AT_ONCE = 100;

/** Let go of at the commit. */
const isOurTurn = async (tx: Transaction): Promise<boolean> => {
  const [row] = await tx.query<{ ours: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS ours', [FOLDING]);
  return row?.ours === true;
};

const FOLDING = 8_389_754_676_633_367_207n;

const FOLD_USAGE = `WITH gone AS (DELETE FROM usage_delta RETURNING *)
  INSERT INTO usage_daily (day, team, namespace, workload, provider, model, prompt_id, prompt_version,
                           charged, calls, input_tokens, output_tokens, unproven, estimated)
  SELECT day, team, namespace, workload, provider, model, prompt_id, prompt_version,
         sum(charged), sum(calls), sum(input_tokens), sum(output_tokens), sum(unproven), sum(estimated)
  FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
  ON CONFLICT (day, team, namespace, workload, provider, model, prompt_id, prompt_version) DO UPDATE SET
    charged = usage_daily.charged + excluded.charged,
    calls = usage_daily.calls + excluded.calls,
    input_tokens = usage_daily.input_tokens + excluded.input_tokens,
    output_tokens = usage_daily.output_tokens + excluded.output_tokens,
    unproven = usage_daily.unproven + excluded.unproven,
    estimated = usage_daily.estimated + excluded.estimated`;
