import type { LedgerEvent } from '@tollgate/ledger';
import type { Transaction } from './connection.ts';
import { makeGains, modelOf } from './gains.ts';

/** Spend in nano-USD by day and who. The day is the ledger's, in UTC: a proxy's clock moves nothing between days. */
export const addUsage = async (tx: Transaction, events: readonly LedgerEvent[], now: number): Promise<void> => {
  if (events.length === 0) return;
  const gains = makeGains();
  for (const event of events) {
    const { team, namespace, workload } = event.subject;
    gains.add({ team, namespace, workload, provider: event.provider, model: modelOf(event) }, event, event.charged);
  }
  await tx.query(UPSERT, [JSON.stringify(gains.rows()), dayOf(now)]);
};

/** Rows in the order of their keys, so that two batches that touch the same do not wait for each other. */
const UPSERT = `INSERT INTO usage_daily (day, team, namespace, workload, provider, model,
                                         charged, calls, input_tokens, output_tokens, unproven, estimated)
  SELECT $2::date, team, namespace, workload, provider, model, charged, calls, input_tokens, output_tokens, unproven, estimated
  FROM json_to_recordset($1::json) AS r(team text, namespace text, workload text, provider text, model text,
         charged bigint, calls bigint, input_tokens bigint, output_tokens bigint, unproven bigint, estimated bigint)
  ORDER BY team, namespace, workload, provider, model
  ON CONFLICT (day, team, namespace, workload, provider, model) DO UPDATE SET
    charged = usage_daily.charged + excluded.charged,
    calls = usage_daily.calls + excluded.calls,
    input_tokens = usage_daily.input_tokens + excluded.input_tokens,
    output_tokens = usage_daily.output_tokens + excluded.output_tokens,
    unproven = usage_daily.unproven + excluded.unproven,
    estimated = usage_daily.estimated + excluded.estimated`;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
