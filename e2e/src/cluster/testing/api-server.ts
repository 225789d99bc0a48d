/** Ends the API server as a crash would. Only who has made the cluster knows how, and says it by a command line. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { tryKubectl } from './kubectl.ts';

const HOW = 'TOLLGATE_RESTART_API_SERVER';

const answers = async (): Promise<boolean> =>
  (await tryKubectl(['get', '--raw', '/readyz', '--request-timeout=2s'])).code === 0;

export interface Outage {
  /** Milliseconds since 1970, by this machine's clock: it did not answer then, and it answered again. */
  readonly from: number;
  readonly until: number;
}

/** Resolves once it is back. Rejects where nobody said how, and where it was never away. */
export const restartApiServer = async (): Promise<Outage> => {
  const command = process.env[HOW];
  if (command === undefined)
    throw new Error(
      `${HOW} says no command line that kills this cluster's API server and has it back. "make e2e" and "make e2e-kind" set it; ` +
        'on the one-node cluster it is "node --conditions=source e2e/clusters/cluster.ts restart-api-server"',
    );
  const restarting = promisify(execFile)('sh', ['-c', command]);
  const [from] = await Promise.all([
    eventually('the API server is away', answers, (isThere) => !isThere).then(() => Date.now()),
    restarting,
  ]);
  await eventually('the API server is back', answers, (isThere) => isThere);
  return { from, until: Date.now() };
};
