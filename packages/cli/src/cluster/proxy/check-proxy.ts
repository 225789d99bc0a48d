/** `check --proxy`: one pod and its proxy, gather → judge (pure) → print. */
import { PODS } from '@tollgate/operator/inspection';
import { lastingObstacle, type InjectionSettings } from '@tollgate/operator/injection';
import { CliError } from '../../cli-error.ts';
import type { Io } from '../../io.ts';
import { hasErrors } from '../finding.ts';
import { installedSettings } from '../injection-settings.ts';
import { findInstallation } from '../installation.ts';
import { withCluster, type Cluster } from '../open-cluster.ts';
import { printFindings } from '../print-findings.ts';
import { printReport } from '../print-report.ts';
import type { ReportOptions } from '../report-options.ts';
import { told } from '../told.ts';
import { proxyFacts, type PodObject, type ProxyFacts } from './facts.ts';
import { judgeProxy } from './judge.ts';

/** Resolves to whether nothing is wrong. */
export const checkProxy = (pod: string, options: ReportOptions, io: Io): Promise<boolean> =>
  withCluster(options, io, async (cluster) => {
    const findings = judgeProxy(await gather(cluster, pod, options.systemNamespace));
    io.stdout(printReport({ findings }, options.output, () => printFindings(findings)));
    return !hasErrors(findings);
  });

const gather = async (cluster: Cluster, given: string, systemNamespace: string | undefined): Promise<ProxyFacts> => {
  const name = given.replace(/^pods?\//, '');
  const { namespace } = cluster;
  const pod = await cluster.api.get<PodObject>(PODS, { namespace, name });
  if (pod === null) {
    throw new CliError(`pods "${name}" not found in namespace ${namespace}`, {
      todo: `see what there is: kubectl get pods -n ${namespace} -l tollgate.dev/injected=true`,
    });
  }
  const facts = proxyFacts(pod);
  const { container } = facts;
  const ask = (path: string) =>
    container?.isRunning === true ? cluster.askPod({ namespace, name }, container.adminPort, path) : null;
  const [status, ready] = await Promise.all([ask('/status'), ask('/readyz')]);
  const settings = await settingsOf(cluster, systemNamespace);
  // As far as the pod asks by itself; what its namespace says of it is the other check's.
  const around = { name: namespace, mode: null, routeKeys: [], kubernetesMinor: null };
  const prospect = settings === null ? 'unknown' : lastingObstacle(pod, around, settings);
  return { ...facts, prospect, status, ready, settings };
};

/** Who looks at a pod of their own may not see Tollgate's namespace. */
const settingsOf = async (cluster: Cluster, systemNamespace: string | undefined): Promise<InjectionSettings | null> => {
  const installation = await told(findInstallation(cluster, systemNamespace));
  if (!installation.known || installation.value === null) return null;
  const settings = await told(installedSettings(cluster, installation.value));
  return settings.known ? settings.value : null;
};
