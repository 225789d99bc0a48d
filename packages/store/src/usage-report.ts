import type { Transaction } from './connection.ts';

/** Spend by one of four questions, from the daily roll-up; days are UTC, both ends included. */
export const USAGE_BY = ['team', 'model', 'workload', 'day'] as const;
export type UsageBy = (typeof USAGE_BY)[number];

export interface UsageRow {
  readonly key: string;
  readonly charged: bigint;
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly unproven: bigint;
  readonly estimated: bigint;
}

export const usageBy = (
  tx: Transaction,
  by: UsageBy,
  range: { readonly from: string | null; readonly to: string | null },
): Promise<readonly UsageRow[]> =>
  tx.query<UsageRow>(
    `SELECT CASE $3 WHEN 'team' THEN team WHEN 'model' THEN provider || '/' || model
                    WHEN 'workload' THEN namespace || '/' || workload ELSE day::text END AS key,
            sum(charged)::bigint AS charged, sum(calls)::bigint AS calls,
            sum(input_tokens)::bigint AS "inputTokens", sum(output_tokens)::bigint AS "outputTokens",
            sum(unproven)::bigint AS unproven, sum(estimated)::bigint AS estimated
     FROM usage_daily WHERE ($1::date IS NULL OR day >= $1::date) AND ($2::date IS NULL OR day <= $2::date)
     GROUP BY 1 ORDER BY CASE $3 WHEN 'day' THEN 0 ELSE sum(charged) END DESC, 1 LIMIT 10000`,
    [range.from, range.to, by],
  );
