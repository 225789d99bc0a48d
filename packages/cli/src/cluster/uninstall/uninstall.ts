/** `uninstall`: says what goes and what stays, and takes away only what stands in the way of other people's pods. */
import type { KubeKind } from '@tollgate/operator/kube';
import { WEBHOOK_CONFIGURATIONS } from '@tollgate/operator/inspection';
import { CliError } from '../../cli-error.ts';
import type { Io } from '../../io.ts';
import { findInstallation, type Installation } from '../installation.ts';
import { MUTATING_POLICY_BINDINGS, POLICY_BINDINGS } from '../kinds.ts';
import { withCluster, type Cluster } from '../open-cluster.ts';
import { printReport } from '../print-report.ts';
import type { ReportOptions } from '../report-options.ts';
import type { UninstallFacts } from './facts.ts';
import { gatherUninstall } from './gather.ts';
import { planUninstall } from './plan.ts';
import { printPlan } from './print-plan.ts';

export interface UninstallOptions extends ReportOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export const uninstall = (options: UninstallOptions, io: Io): Promise<void> =>
  withCluster({ ...options, allNamespaces: true }, io, async (cluster) => {
    const installation = await findInstallation(cluster, options.systemNamespace);
    if (installation === null) throw notInstalled(options.systemNamespace);
    const facts = await gatherUninstall(cluster, installation);
    const plan = planUninstall(facts);
    io.stdout(printReport(plan, options.output, () => printPlan(plan)));
    if (options.yes !== true || options.dryRun === true) {
      io.stderr('nothing was changed\n');
      return;
    }
    await openTheWay(cluster, facts, installation, io);
  });

/**
 * The webhooks and the policy that requires injection, which are the parts of Tollgate that can keep other people's pods
 * from starting. The rest is helm's: what it has made, it is to remove.
 */
const openTheWay = async (
  { api }: Cluster,
  { objects }: UninstallFacts,
  { release, namespace }: Installation,
  io: Io,
): Promise<void> => {
  for (const { kind, name } of objects.filter(({ isInTheWay }) => isInTheWay)) {
    // Of the versions of one kind the cluster knows some, and the others are nothing to remove.
    for (const known of REMOVABLE.filter((each) => each.kind.toLowerCase() === kind)) await api.remove(known, { name });
    io.stderr(`${kind}/${name} removed\n`);
  }
  io.stderr(`no pod is injected or refused any more; now run: helm uninstall ${release} -n ${namespace}\n`);
};

/** The policies themselves do nothing without their bindings. */
const REMOVABLE: readonly KubeKind[] = [WEBHOOK_CONFIGURATIONS, ...MUTATING_POLICY_BINDINGS, POLICY_BINDINGS];

const notInstalled = (namespace: string | undefined): CliError =>
  new CliError(`Tollgate is not installed in ${namespace === undefined ? 'this cluster' : `namespace ${namespace}`}`, {
    todo: 'choose another cluster with --context; definitions that are left over: kubectl get crd | grep tollgate.dev',
  });
