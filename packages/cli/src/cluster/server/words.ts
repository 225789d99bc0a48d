/** What errors say of the server in a cluster, and of the account in whose name it was asked. Pure. */
import type { ServerWords } from '../../server/server-words.ts';
import type { AccountName } from '../open-cluster.ts';

export interface AskedServer {
  readonly namespace: string;
  readonly deployment: string;
  readonly account: AccountName;
  readonly audience: string;
}

export const wordsOfCluster = ({ namespace, deployment, account, audience }: AskedServer): ServerWords => {
  const name = `the server of the cluster (deployment/${deployment} -n ${namespace})`;
  const log = `kubectl logs -n ${namespace} deployment/${deployment}`;
  const who = `ServiceAccount ${account.namespace}/${account.name}`;
  return {
    name,
    silent: `see what is wrong: kubectl tollgate check; ${log}`,
    faulty: `its log says more: ${log}`,
    refused: (status, said) =>
      status === 401
        ? {
            message: `${name} does not accept a token of ${who}`,
            todo: `it was made for the audience ${audience}: see which one the server takes (TOLLGATE_MANAGEMENT_AUDIENCE), and ${log}`,
          }
        : {
            message: `${name} refuses this to ${who}: ${said}`,
            todo:
              account.namespace === namespace
                ? `its log says more: ${log}`
                : `that is for accounts of namespace ${namespace}: leave -n out`,
          },
  };
};
