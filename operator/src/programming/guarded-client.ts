/** The server's client as a leader has it: who no longer leads writes nothing, and what came of each question is counted. */
import type { OperatorMetrics } from '../metrics.ts';
import type { ServerClient } from './server-client.ts';
import { ServerFault } from './server-fault.ts';

export interface GuardedClientDeps {
  /** By the clock, so that a process which slept through its term does not write in the next one's. */
  readonly mayWrite: () => boolean;
  readonly metrics: Pick<OperatorMetrics, 'add'>;
}

export const guardedClient = (client: ServerClient, { mayWrite, metrics }: GuardedClientDeps): ServerClient => {
  const counted = async <T>(request: string, ask: () => Promise<T>): Promise<T> => {
    const count = (outcome: string): void =>
      metrics.add('tollgate_operator_server_requests_total', { request, outcome });
    try {
      const answer = await ask();
      count('ok');
      return answer;
    } catch (error) {
      count(error instanceof ServerFault ? error.reason : 'failed');
      throw error;
    }
  };
  const written = <T>(request: string, ask: () => Promise<T>): Promise<T> =>
    counted(request, () => {
      if (!mayWrite())
        throw new ServerFault(null, 'not_leading', 'this process does not lead: it tells the server nothing');
      return ask();
    });
  return {
    putResources: (resources) => written('put_resources', () => client.putResources(resources)),
    putPods: (pods) => written('put_pods', () => client.putPods(pods)),
    resourcesVersion: () => counted('resources_version', client.resourcesVersion),
    podsVersion: () => counted('pods_version', client.podsVersion),
    budgets: () => counted('budgets', client.budgets),
    routes: () => counted('routes', client.routes),
    podFindings: () => counted('pod_findings', client.podFindings),
  };
};
