/**
 * The server of a cluster, for one command: in the name of a ServiceAccount, through a port of our own. The API server's
 * own way to a Service does not do: it keeps the bearer token to itself.
 */
import { PODS } from '@tollgate/operator/inspection';
import { isNotFound, KubeFault, listAll } from '@tollgate/operator/kube';
import { EXIT, isCliError } from '../../cli-error.ts';
import type { Io } from '../../io.ts';
import type { ServerAddress } from '../../server/find-server.ts';
import { findInstallation, podsOfProgram, USUAL_NAMESPACE, type Installation } from '../installation.ts';
import { withCluster, type AccountName, type Cluster } from '../open-cluster.ts';
import type { ClusterOptions } from '../options.ts';
import { accountOf, type AccountOptions } from './account.ts';
import { podToAsk, type ServerPod } from './server-pods.ts';
import { named, noAccount, notInstalled, notReady, noWay, RIGHTS, type Right } from './way-errors.ts';
import { wordsOfCluster } from './words.ts';

export interface ClusterServerOptions extends AccountOptions, Pick<ClusterOptions, 'context' | 'kubeconfig'> {
  readonly systemNamespace?: string;
}

/** As the chart sets them; the audience is the server's default. */
const PORT = 4180;
const AUDIENCE = 'tollgate-management';

export const withClusterServer = <T>(
  options: ClusterServerOptions,
  io: Io,
  work: (server: ServerAddress) => Promise<T>,
): Promise<T> =>
  withCluster(options, io, async (cluster) => {
    const installation = await needed(
      findInstallation(cluster, options.systemNamespace),
      RIGHTS.find(options.systemNamespace ?? USUAL_NAMESPACE),
    );
    if (installation === null) throw notInstalled(options.systemNamespace);
    const { namespace } = installation;
    const account = accountOf(options, namespace);
    const pod = await readyPod(cluster, installation);
    const token = await tokenOf(cluster, account);
    const way = await openWay(cluster, { namespace, name: pod });
    try {
      const words = wordsOfCluster({
        namespace,
        deployment: `${installation.name}-server`,
        account,
        audience: AUDIENCE,
      });
      return await work({ url: `http://127.0.0.1:${String(way.port)}`, token, words });
    } catch (error) {
      const fault = way.fault();
      throw fault !== null && isSilence(error) ? noWay(pod, namespace, fault) : error;
    } finally {
      await way.close();
    }
  });

const readyPod = async ({ api, signal }: Cluster, installation: Installation): Promise<string> => {
  const { namespace } = installation;
  const selector = podsOfProgram(installation, 'server');
  const selection = { namespace, labelSelector: selector };
  const keep = (pod: ServerPod): ServerPod => pod;
  const pods = await needed(
    listAll<ServerPod, ServerPod>({ api, kind: PODS, selection, signal, keep }),
    RIGHTS.pods(namespace),
  );
  const pod = podToAsk(pods.items);
  if (pod === null) throw notReady({ namespace, selector });
  return pod;
};

const tokenOf = async (cluster: Cluster, account: AccountName): Promise<string> => {
  try {
    return await needed(cluster.tokenOf(account, AUDIENCE), RIGHTS.token(account));
  } catch (error) {
    throw isNotFound(error) ? noAccount(account, error) : error;
  }
};

const openWay = async (cluster: Cluster, pod: { readonly namespace: string; readonly name: string }) => {
  try {
    return await needed(cluster.forward(pod, PORT), RIGHTS.forward(pod.namespace));
  } catch (error) {
    throw error instanceof KubeFault ? noWay(pod.name, pod.namespace, error) : error;
  }
};

const needed = async <T>(step: Promise<T>, right: Right): Promise<T> => {
  try {
    return await step;
  } catch (error) {
    throw named(error, right);
  }
};

const isSilence = (error: unknown): boolean => isCliError(error) && error.exitCode === EXIT.unavailable;
