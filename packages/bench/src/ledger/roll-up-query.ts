/**
 * What was spent by team, model, workload, prompt and day, over ten million events. Their roll-up is made by SQL as
 * ingest and folding make it (a test of the store sees that they agree); the rows themselves are not read, and not made.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from '../statistics.ts';
import { below } from './finding.ts';
import type { Finding } from './finding.ts';
import type { World } from './world.ts';

const EVENTS = 10_000_000;
const QUESTIONS = ['team', 'model', 'workload', 'prompt', 'day'] as const;
const PSQL = '/usr/lib/postgresql/15/bin/psql';
const run = promisify(execFile);

/** A month of 20 teams with 4 workloads each, 6 models and 5 prompts, mixed by primes. */
const FILL = (events: number): string => `
INSERT INTO usage_daily (day, team, namespace, workload, provider, model, prompt_id, prompt_version,
                         charged, calls, input_tokens, output_tokens, unproven, estimated)
SELECT date '2026-10-01' + day, 'team-' || team, 'team-' || team, 'workload-' || workload, 'openai', 'model-' || model,
       'prompt-' || prompt, '1', sum(charged), count(*), sum(input), sum(output), 0, 0
FROM (SELECT (n % 31)::int AS day, (n * 7919 / 31 % 20)::int AS team, (n * 104729 / 620 % 4)::int AS workload,
             (n * 1299709 / 2480 % 6)::int AS model, (n * 15485863 / 14880 % 5)::int AS prompt,
             90000 + n % 5000 AS charged, 20 + n % 700 AS input, 100 + n % 300 AS output
      FROM generate_series(1::bigint, ${String(events)}) AS n) AS event
GROUP BY day, team, workload, model, prompt;
ANALYZE usage_daily;`;

export const measureRollUps = async (world: World): Promise<readonly Finding[]> => {
  const { server, databaseUrl } = await world.serverWithDatabase('memory');
  try {
    const events = Math.round(EVENTS * world.scale);
    await run(PSQL, [databaseUrl, '-qc', FILL(events)]);
    const { stdout } = await run(PSQL, [databaseUrl, '-Atqc', 'SELECT count(*), sum(calls) FROM usage_daily']);
    const [rows = '', calls = ''] = stdout.trim().split('|');
    if (Number(calls) !== events) throw new Error(`${calls} of ${String(events)} events are in the roll-up`);
    const ask = async (by: string): Promise<number> => {
      const began = performance.now();
      const headers = { authorization: `Bearer ${world.token}` };
      const response = await fetch(`${server.url}/v1/usage?by=${by}`, { headers });
      if (!response.ok) throw new Error(`by ${by}: ${String(response.status)}`);
      await response.text();
      return performance.now() - began;
    };
    const slowest = { by: '', ms: 0 };
    for (const by of QUESTIONS) {
      await ask(by);
      const times: number[] = [];
      for (let round = 0; round < world.rounds; round += 1) times.push(await ask(by));
      if (median(times) > slowest.ms) Object.assign(slowest, { by, ms: median(times) });
    }
    return [
      {
        what: `usage of ${events.toLocaleString('en-US')} events by team, model, workload, prompt or day, the slowest, ms`,
        value: slowest.ms,
        goal: below(200),
        beside: `by ${slowest.by}, over HTTP, from ${Number(rows).toLocaleString('en-US')} rows of the daily roll-up`,
        next: 'a coarser roll-up for the questions that name no prompt',
      },
    ];
  } finally {
    await server.stop();
  }
};
