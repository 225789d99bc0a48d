import { inputTokens, outputTokens } from '@tollgate/metering';
import type { LedgerEvent } from '@tollgate/ledger';
import { modelOf } from './charge-booking.ts';
import type { Transaction } from './connection.ts';

/** Spend in nano-USD by day and who. The day is the ledger's, in UTC: a proxy's clock moves nothing between days. */
export const addUsage = async (tx: Transaction, events: readonly LedgerEvent[], now: number): Promise<void> => {
  if (events.length === 0) return;
  const rows = events.map((event) => ({
    team: event.subject.team,
    namespace: event.subject.namespace,
    workload: event.subject.workload,
    provider: event.provider,
    model: modelOf(event),
    charged: String(event.charged),
    input_tokens: inputTokens(event.usage),
    output_tokens: outputTokens(event.usage),
    unproven: event.unproven ? 1 : 0,
    estimated: event.settle === 'estimated' ? 1 : 0,
  }));
  await tx.query(
    `INSERT INTO usage_daily (day, team, namespace, workload, provider, model,
                              charged, calls, input_tokens, output_tokens, unproven, estimated)
     SELECT $2::date, team, namespace, workload, provider, model,
            sum(charged), count(*), sum(input_tokens), sum(output_tokens), sum(unproven), sum(estimated)
     FROM json_to_recordset($1::json) AS r(team text, namespace text, workload text, provider text, model text,
            charged bigint, input_tokens bigint, output_tokens bigint, unproven bigint, estimated bigint)
     GROUP BY team, namespace, workload, provider, model ORDER BY team, namespace, workload, provider, model
     ON CONFLICT (day, team, namespace, workload, provider, model) DO UPDATE SET
       charged = usage_daily.charged + excluded.charged,
       calls = usage_daily.calls + excluded.calls,
       input_tokens = usage_daily.input_tokens + excluded.input_tokens,
       output_tokens = usage_daily.output_tokens + excluded.output_tokens,
       unproven = usage_daily.unproven + excluded.unproven,
       estimated = usage_daily.estimated + excluded.estimated`,
    [JSON.stringify(rows), dayOf(now)],
  );
};

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
