/** `check`: gather → judge (pure) → print. Writes nothing; one pod is tried in a dry run. */
import type { Io } from '../../io.ts';
import { finding, hasErrors, type Finding } from '../finding.ts';
import { findInstallation } from '../installation.ts';
import { withCluster } from '../open-cluster.ts';
import { printFindings } from '../print-findings.ts';
import { printReport } from '../print-report.ts';
import type { ReportOptions } from '../report-options.ts';
import { gatherInstallation } from './gather.ts';
import { judgeInstallation } from './judge.ts';

/** Resolves to whether nothing is wrong. */
export const check = (options: ReportOptions, io: Io): Promise<boolean> =>
  // An installation is the whole cluster's: only -n narrows whose budgets and pods are looked at.
  withCluster({ ...options, allNamespaces: options.namespace === undefined }, io, async (cluster) => {
    const installation = await findInstallation(cluster, options.systemNamespace);
    const findings =
      installation === null
        ? [notInstalled(options.systemNamespace)]
        : judgeInstallation(await gatherInstallation(cluster, installation, io.now()));
    io.stdout(printReport({ findings }, options.output, () => printFindings(findings)));
    return !hasErrors(findings);
  });

const notInstalled = (namespace: string | undefined): Finding =>
  finding(
    'error',
    namespace === undefined ? 'cluster' : `namespace/${namespace}`,
    'Tollgate is not installed here',
    'helm install tollgate charts/tollgate --namespace tollgate-system --create-namespace --wait; before that: kubectl tollgate scan',
  );
