/** `check`: gather → judge (pure) → print. Writes nothing; one pod is tried in a dry run. */
import type { Io } from '../../io.ts';
import { finding, hasErrors, type Finding } from '../finding.ts';
import { findInstallation, USUAL_NAMESPACE } from '../installation.ts';
import { withCluster, type Cluster } from '../open-cluster.ts';
import { printFindings } from '../print-findings.ts';
import { printReport } from '../print-report.ts';
import type { ReportOptions } from '../report-options.ts';
import { requireNamespace } from '../require-namespace.ts';
import { told, valueOr } from '../told.ts';
import { gatherInstallation, gatherOwn } from './gather.ts';
import { judgeInstallation, judgeOwn } from './judge.ts';
import { findRemains, unfinished } from './remains.ts';

/** Resolves to whether nothing is wrong. */
export const check = (options: ReportOptions, io: Io): Promise<boolean> =>
  // An installation is the whole cluster's: only -n narrows whose budgets and pods are looked at.
  withCluster({ ...options, allNamespaces: options.namespace === undefined }, io, async (cluster) => {
    await requireNamespace(cluster);
    const findings = await findingsOf(cluster, options.systemNamespace, io.now());
    io.stdout(printReport({ findings }, options.output, () => printFindings(findings)));
    return !hasErrors(findings);
  });

const findingsOf = async (
  cluster: Cluster,
  systemNamespace: string | undefined,
  now: number,
): Promise<readonly Finding[]> => {
  const found = await told(findInstallation(cluster, systemNamespace));
  if (!found.known) return judgeOwn(await gatherOwn(cluster, systemNamespace ?? USUAL_NAMESPACE, found.why));
  if (found.value !== null) return judgeInstallation(await gatherInstallation(cluster, found.value, now));
  const remains = valueOr(await told(findRemains(cluster, systemNamespace)), null);
  return [remains === null ? notInstalled(systemNamespace) : unfinished(remains)];
};

const notInstalled = (namespace: string | undefined): Finding =>
  finding(
    'error',
    namespace === undefined ? 'cluster' : `namespace/${namespace}`,
    'Tollgate is not installed here',
    'helm install tollgate charts/tollgate --namespace tollgate-system --create-namespace --wait (its README says where the images come from); before that: kubectl tollgate scan',
  );
