/** What servers counted of themselves: the server's metrics page, and Redis's own statistics of commands. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ServerCounts {
  readonly requests: number;
  readonly leases: number;
}

export const serverCounts = async (serverUrl: string): Promise<ServerCounts> => {
  const page = await (await fetch(`${serverUrl}/metrics`)).text();
  return {
    requests: sumOf(page, 'tollgate_server_requests_total'),
    leases: sumOf(page, 'tollgate_server_leases_total'),
  };
};

const sumOf = (page: string, metric: string): number =>
  [...page.matchAll(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );

/** Functions called since Redis started: each is a round trip. */
export const redisCalls = async (url: string): Promise<number> => {
  const { stdout } = await run('redis-cli', ['-u', url, 'INFO', 'commandstats']);
  return [...stdout.matchAll(/^cmdstat_fcall(?:_ro)?:calls=(\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
};
