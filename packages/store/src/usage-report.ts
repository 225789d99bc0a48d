import type { Transaction } from './connection.ts';

/** Spend by one of five questions, from the daily roll-up; days are UTC, both ends included. */
export const USAGE_BY = ['team', 'model', 'workload', 'prompt', 'day'] as const;
export type UsageBy = (typeof USAGE_BY)[number];

export interface UsageRange {
  /** UTC days, both included. */
  readonly from: string | null;
  readonly to: string | null;
  /** Of one namespace's calls, or of all. */
  readonly namespace?: string | null;
}

export interface UsageRow {
  /** A prompt is `id@version`, or `id`; '' are the calls that named none. */
  readonly key: string;
  readonly charged: bigint;
  readonly calls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly unproven: bigint;
  readonly estimated: bigint;
}

export const usageBy = (tx: Transaction, by: UsageBy, range: UsageRange): Promise<readonly UsageRow[]> =>
  tx.query<UsageRow>(
    `SELECT CASE $3 WHEN 'team' THEN team WHEN 'model' THEN provider || '/' || model
                    WHEN 'workload' THEN namespace || '/' || workload
                    WHEN 'prompt' THEN prompt_id || CASE prompt_version WHEN '' THEN '' ELSE '@' || prompt_version END
                    ELSE day::text END AS key,
            sum(charged)::bigint AS charged, sum(calls)::bigint AS calls,
            sum(input_tokens)::bigint AS "inputTokens", sum(output_tokens)::bigint AS "outputTokens",
            sum(unproven)::bigint AS unproven, sum(estimated)::bigint AS estimated
     FROM (SELECT day, team, namespace, workload, provider, model, prompt_id, prompt_version,
                  charged, calls, input_tokens, output_tokens, unproven, estimated FROM usage_daily
           UNION ALL
           SELECT day, team, namespace, workload, provider, model, prompt_id, prompt_version,
                  charged, calls, input_tokens, output_tokens, unproven, estimated FROM usage_delta) AS usage
     WHERE ($1::date IS NULL OR day >= $1::date) AND ($2::date IS NULL OR day <= $2::date)
       AND ($4::text IS NULL OR namespace = $4)
     GROUP BY 1 ORDER BY CASE $3 WHEN 'day' THEN 0 ELSE sum(charged) END DESC, 1 LIMIT 10000`,
    [range.from, range.to, by, range.namespace ?? null],
  );
